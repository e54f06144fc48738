namespace Telemetry.Protocol.Model;

/// <summary>Reads one tree: single keys and ranges.</summary>
public static class TreeReader
{
    /// <summary>The fingerprint of a key, or null.</summary>
    public static Fingerprint? Find(INodeSource source, Digest root, EntryKey key) =>
        FindValue(source, root, key) is { } value ? Fingerprint.Decode(value) : null;

    /// <summary>The encoded fingerprint of a key, or null.</summary>
    public static byte[]? FindValue(INodeSource source, Digest root, EntryKey key)
    {
        var node = TreeNode.Decode(source.Read(root));
        while (!node.IsLeaf)
            node = TreeNode.Decode(source.Read(node.Child(node.SearchChild(key.Bytes))));

        var index = node.Search(key.Bytes);
        return index >= 0 ? node.Value(index).ToArray() : null;
    }

    /// <summary>The encoded fingerprints of keys in rising order; null for each that is not there.</summary>
    public static IEnumerable<byte[]?> FindValues(INodeSource source, Digest root, IEnumerable<EntryKey> keys)
    {
        var cursor = new TreeCursor(source, root);
        foreach (var key in keys)
        {
            // An encoded fingerprint is never empty.
            var value = cursor.AtEnd ? [] : cursor.SeekValue(key.Bytes).ToArray();
            yield return value.Length == 0 ? null : value;
        }
    }

    /// <summary>Digests of all nodes of some trees: each once, children before parents. Leaves are not read.</summary>
    public static IReadOnlyList<Digest> Nodes(INodeSource source, IEnumerable<Digest> roots)
    {
        var seen = new HashSet<Digest>();
        var nodes = new List<Digest>();
        foreach (var root in roots)
            Visit(root, isLeaf: false);
        return nodes;

        void Visit(Digest digest, bool isLeaf)
        {
            if (!seen.Add(digest))
                return;
            var node = isLeaf ? null : TreeNode.Decode(source.Read(digest));
            for (var i = 0; node is { IsLeaf: false } && i < node.Count; i++)
                Visit(node.Child(i), node.Level == 1);
            nodes.Add(digest);
        }
    }

    /// <summary>The entries at and below a key, in key order. Below the empty key: all.</summary>
    public static IEnumerable<TreeEntry> Entries(INodeSource source, Digest root, EntryKey prefix = default)
    {
        var cursor = new TreeCursor(source, root);
        if (!cursor.AtEnd)
            cursor.SeekNode(0, prefix.Bytes);

        for (; !cursor.AtEnd; cursor.Skip())
        {
            while (!cursor.AtEntry)
                cursor.Enter();

            if (cursor.Key.SequenceCompareTo(prefix.Bytes) < 0)
                continue;

            // Between a key and what lies below it nothing else sorts: 0x00 comes first.
            if (!EntryKey.IsUnder(cursor.Key, prefix.Bytes))
                yield break;

            yield return new TreeEntry(new EntryKey(cursor.Key), cursor.Value.ToArray());
        }
    }
}

/// <summary>One entry with its encoded fingerprint.</summary>
public readonly record struct TreeEntry(EntryKey Key, byte[] Value)
{
    public Fingerprint Fingerprint => Fingerprint.Decode(Value);
}
