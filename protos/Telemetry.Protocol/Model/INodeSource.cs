namespace Telemetry.Protocol.Model;

/// <summary>Where nodes are read from: memory, a manifest file, a store.</summary>
public interface INodeSource
{
    /// <summary>The canonical bytes of a node.</summary>
    /// <exception cref="NodeMissingException">The source does not have it.</exception>
    ReadOnlyMemory<byte> Read(Digest digest);
}

/// <summary>A node that should be there is not: a damaged store or file.</summary>
public sealed class NodeMissingException(Digest digest) : Exception($"Node {digest} is missing.")
{
    public Digest Digest { get; } = digest;
}
