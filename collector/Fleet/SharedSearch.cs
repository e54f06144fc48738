using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>Looks for the same entries in many trees that share most of their nodes, as those of a fleet and its history do: each node is read once.</summary>
/// <param name="keys">Where to look, in rising order.</param>
/// <param name="isWanted">By the encoded fingerprint.</param>
internal sealed class SharedSearch(INodeSource nodes, IReadOnlyList<EntryKey> keys, Predicate<byte[]> isWanted)
{
    /// <summary>About 150 bytes each.</summary>
    private const int MaxRemembered = 500_000;

    private readonly Dictionary<Digest, TreeEntry?> _found = [];

    /// <summary>The first of the wanted entries that a tree has; null: it has none.</summary>
    public TreeEntry? First(Digest root)
    {
        if (_found.Count > MaxRemembered)
            _found.Clear();
        return First(root, 0, keys.Count);
    }

    /// <param name="from">Of the keys, those from here on...</param>
    /// <param name="to">...to before this one may be below the node; no others are.</param>
    private TreeEntry? First(Digest digest, int from, int to)
    {
        if (_found.TryGetValue(digest, out var known))
            return known;

        var node = TreeNode.Decode(nodes.Read(digest));
        var first = node.IsLeaf ? InLeaf(node, from, to) : BelowNode(node, from, to);
        _found.Add(digest, first);
        return first;
    }

    private TreeEntry? InLeaf(TreeNode leaf, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            if (leaf.Search(keys[i].Bytes) is >= 0 and var index && leaf.Value(index).ToArray() is var value && isWanted(value))
                return new TreeEntry(keys[i], value);
        }

        return null;
    }

    private TreeEntry? BelowNode(TreeNode node, int from, int to)
    {
        while (from < to)
        {
            var child = node.SearchChild(keys[from].Bytes);
            var end = from + 1;
            while (end < to && node.SearchChild(keys[end].Bytes) == child)
                end++;
            if (First(node.Child(child), from, end) is { } found)
                return found;
            from = end;
        }

        return null;
    }
}
