using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>A leaf as it is kept: the entries, and what proved them when they were seen.</summary>
internal sealed record StoredLeaf(byte[] FirstKey, TreeNode Node, byte[] Stamps)
{
    public FileStamp Stamp(int index) => FileStamp.Read(Stamps.AsSpan(index * FileStamp.Length));
}
