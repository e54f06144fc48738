using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>Looks for the same entries in many trees that share most of their nodes, as those of a fleet and its history do: each node is read once.</summary>
/// <param name="key">Where to look; null: everywhere.</param>
/// <param name="isWanted">By the encoded fingerprint.</param>
/// <param name="mayHold">Says of leaves that they need not be read; null: of none.</param>
internal sealed class SharedSearch(EntryKey? key, Predicate<byte[]> isWanted, Predicate<Digest>? mayHold = null)
{
    /// <summary>Of what it remembers.</summary>
    private const long MaxBytes = 32 * 1024 * 1024;

    /// <summary>What a node takes besides the entry that was found below it.</summary>
    private const int Overhead = 120;

    private readonly Dictionary<Digest, TreeEntry?> _found = [];
    private long _bytes;

    /// <summary>The first of the wanted entries that a tree has; null: it has none.</summary>
    public TreeEntry? First(INodeSource nodes, Digest root)
    {
        if (_bytes > MaxBytes)
        {
            _found.Clear();
            _bytes = 0;
        }

        return Look(nodes, root);
    }

    /// <summary>All of them, by key.</summary>
    public IEnumerable<TreeEntry> All(INodeSource nodes, Digest root)
    {
        if (First(nodes, root) is null)
            yield break;

        var node = TreeNode.Decode(nodes.Read(root));
        foreach (var entry in node.IsLeaf ? InLeaf(node) : Below(node).SelectMany(child => All(nodes, child)))
            yield return entry;
    }

    private TreeEntry? Look(INodeSource nodes, Digest digest)
    {
        if (_found.TryGetValue(digest, out var known))
            return known;

        TreeEntry? first = null;
        var node = TreeNode.Decode(nodes.Read(digest));
        foreach (var entry in node.IsLeaf ? InLeaf(node).Cast<TreeEntry?>() : Below(node).Select(child => Look(nodes, child)))
        {
            first = entry;
            if (first is not null)
                break;
        }

        if (_found.TryAdd(digest, first))
            _bytes += Overhead + (first is { } found ? found.Key.Length + found.Value.Length : 0);
        return first;
    }

    private IEnumerable<TreeEntry> InLeaf(TreeNode leaf)
    {
        var (from, to) = (0, leaf.Count);
        if (key is { } wanted)
            (from, to) = leaf.Search(wanted.Bytes) is >= 0 and var index ? (index, index + 1) : (0, 0);
        for (var i = from; i < to; i++)
        {
            if (leaf.Value(i).ToArray() is var value && isWanted(value))
                yield return new TreeEntry(new EntryKey(leaf.Key(i)), value);
        }
    }

    /// <summary>The children that have to be looked at.</summary>
    private IEnumerable<Digest> Below(TreeNode node)
    {
        var (from, to) = (0, node.Count);
        if (key is { } wanted)
            (from, to) = node.SearchChild(wanted.Bytes) is var child ? (child, child + 1) : default;
        for (var i = from; i < to; i++)
        {
            if (node.Level > 1 || mayHold?.Invoke(node.Child(i)) != false)
                yield return node.Child(i);
        }
    }
}
