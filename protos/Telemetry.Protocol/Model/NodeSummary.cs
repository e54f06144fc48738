namespace Telemetry.Protocol.Model;

/// <summary>
/// What a node's parent must know to judge it: with the summaries of its children, one node can be checked alone, and
/// <em>checked</em> means that the complete subtree below it is canonical.
/// </summary>
/// <param name="Digest">Of the node's bytes.</param>
/// <param name="Level">0 for a leaf.</param>
/// <param name="FirstKey">Smallest key of the subtree.</param>
/// <param name="LastKey">Greatest key of the subtree.</param>
/// <param name="IsSealed">The subtree's right edge ends in cuts on every level; only a tree's last nodes may lack them.</param>
/// <param name="Entries">Entries of the subtree.</param>
public sealed record NodeSummary(Digest Digest, int Level, byte[] FirstKey, byte[] LastKey, bool IsSealed, long Entries)
{
    /// <summary>Whether a head may name this node as a root.</summary>
    public static bool CanBeRoot(TreeNode node) => node.IsLeaf || node.Count > 1;

    /// <summary>Checks a node completely.</summary>
    /// <param name="node">Decoded, so its form is right.</param>
    /// <param name="digest">Of its bytes.</param>
    /// <param name="child">The summary of a child that was checked before.</param>
    /// <exception cref="NotCanonicalException">No encoder makes this node of any entries.</exception>
    public static NodeSummary Check(TreeNode node, Digest digest, Func<Digest, NodeSummary> child)
    {
        var isClosed = CheckCuts(node);
        return node.IsLeaf ? CheckLeaf(node, digest, isClosed) : CheckInterior(node, digest, isClosed, child);
    }

    /// <returns>Whether a cut falls after the last entry.</returns>
    private static bool CheckCuts(TreeNode node)
    {
        var keyBytes = 0;
        for (var i = 0; i < node.Count; i++)
        {
            keyBytes += node.Key(i).Length;
            var isCut = Boundary.IsForced(i + 1, keyBytes) || Boundary.IsNatural(node.Key(i), node.Level);
            if (i == node.Count - 1)
                return isCut;
            if (isCut)
                throw new NotCanonicalException("a boundary inside a node");
        }

        return false;
    }

    private static NodeSummary CheckLeaf(TreeNode node, Digest digest, bool isClosed)
    {
        for (var i = 0; i < node.Count; i++)
            Fingerprint.Decode(node.Value(i));

        return node.Count == 0
            ? new NodeSummary(digest, 0, [], [], IsSealed: false, 0)
            : new NodeSummary(digest, 0, node.Key(0).ToArray(), node.Key(node.Count - 1).ToArray(), isClosed, node.Count);
    }

    private static NodeSummary CheckInterior(TreeNode node, Digest digest, bool isClosed, Func<Digest, NodeSummary> child)
    {
        var entries = 0L;
        NodeSummary last = null!;
        for (var i = 0; i < node.Count; i++)
        {
            if (i > 0 && !last.IsSealed)
                throw new NotCanonicalException("a node that ends without a boundary is not the last of its level");
            if (i > 0 && last.LastKey.AsSpan().SequenceCompareTo(node.Key(i)) >= 0)
                throw new NotCanonicalException("children overlap");

            last = child(node.Child(i));
            if (last.Level != node.Level - 1)
                throw new NotCanonicalException($"a node of level {last.Level} under one of level {node.Level}");
            if (last.Entries == 0 || !last.FirstKey.AsSpan().SequenceEqual(node.Key(i)))
                throw new NotCanonicalException("a child that does not begin with its key");
            entries += last.Entries;
        }

        return new NodeSummary(digest, node.Level, node.Key(0).ToArray(), last.LastKey, isClosed && last.IsSealed, entries);
    }
}
