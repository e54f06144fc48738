using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>Where the nodes of a scan go: a file, or the state store.</summary>
internal interface IManifestTarget
{
    /// <summary>The entries of the scan before this one; null when there was none.</summary>
    IPreviousEntries? Previous(EntryKind kind);

    /// <summary>Takes a node; on each level of a kind they come in rising order of their first key, children before parents.</summary>
    /// <param name="stamps">Of a leaf's entries, one after the other; empty on other levels.</param>
    void Add(EntryKind kind, EncodedNode node, ReadOnlySpan<byte> stamps);
}
