namespace Telemetry.Protocol.Model;

/// <summary>Nodes in memory, over those of another source if one is given.</summary>
public sealed class MemoryNodes(INodeSource? below = null) : INodeSource
{
    private readonly Dictionary<Digest, ReadOnlyMemory<byte>> _nodes = new()
    {
        [EncodedNode.Empty.Digest] = EncodedNode.Empty.Bytes,
    };

    public IReadOnlyCollection<Digest> Digests => _nodes.Keys;

    public void Add(EncodedNode node) => _nodes[node.Digest] = node.Bytes;

    public ReadOnlyMemory<byte> Read(Digest digest) =>
        _nodes.TryGetValue(digest, out var bytes) ? bytes
        : below is not null ? below.Read(digest)
        : throw new NodeMissingException(digest);
}
