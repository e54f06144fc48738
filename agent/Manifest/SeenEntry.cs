using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>An entry that waits for its place in the tree.</summary>
/// <param name="Value">The encoded fingerprint.</param>
internal sealed record SeenEntry(EntryKind Kind, byte[] Key, byte[] Value, FileStamp Stamp);
