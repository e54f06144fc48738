namespace Telemetry.Protocol.Model;

/// <summary>One node as it is stored and sent, with what its parent needs to know of it.</summary>
public sealed record EncodedNode(Digest Digest, int Level, int Count, byte[] FirstKey, byte[] Bytes)
{
    /// <summary>The leaf without entries: the whole of an empty tree.</summary>
    public static readonly EncodedNode Empty = OfEmpty();

    private static EncodedNode OfEmpty()
    {
        byte[] bytes = [TreeNode.Format, 0, 0];
        return new EncodedNode(TreeNode.DigestOf(bytes), 0, 0, [], bytes);
    }
}
