using Telemetry.Agent.Scan;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>A scan into a manifest file: nothing is known before, every file is read.</summary>
internal sealed class ManifestFileTarget(ManifestFileWriter file) : IManifestTarget
{
    public IPreviousEntries? Previous(EntryKind kind) => null;

    public void Add(EntryKind kind, EncodedNode node, ReadOnlySpan<byte> stamps) => file.Add(node);
}
