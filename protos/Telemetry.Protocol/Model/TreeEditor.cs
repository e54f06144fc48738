namespace Telemetry.Protocol.Model;

/// <summary>One edit of a tree: a value to put, or null to remove the key.</summary>
public readonly record struct TreeEdit(byte[] Key, byte[]? Value)
{
    public static TreeEdit Put(EntryKey key, Fingerprint fingerprint) => new(key.Bytes.ToArray(), fingerprint.Encode());

    public static TreeEdit Remove(EntryKey key) => new(key.Bytes.ToArray(), null);
}

/// <summary>Where a node stands in its tree.</summary>
public readonly record struct NodePlace(int Level, byte[] FirstKey);

/// <summary>The tree after a batch of edits.</summary>
/// <param name="Height">Level of the root: what stood above it is gone.</param>
/// <param name="Created">Its new nodes, children before parents. One may stand where another stood.</param>
/// <param name="Removed">Where nodes stood and none does now, up to the new height.</param>
public readonly record struct EditedTree(Digest Root, int Height, IReadOnlyList<EncodedNode> Created, IReadOnlyList<NodePlace> Removed);

/// <summary>Applies a batch of edits to a tree. The result is the one a builder makes of the resulting entries.</summary>
/// <remarks>
/// Every level is an ordered map, so one method edits them all: the nodes an edit touches are cut anew until a cut falls where
/// the old one did; what became of the nodes is the batch of edits for the level above.
/// </remarks>
public static class TreeEditor
{
    /// <param name="edits">In strictly rising key order. Removing a key that is not there changes nothing.</param>
    /// <exception cref="ArgumentException">The edits are out of order, or a key or value is too long.</exception>
    public static EditedTree Apply(INodeSource source, Digest root, IReadOnlyList<TreeEdit> edits)
    {
        CheckOrder(edits);
        var created = new List<EncodedNode>();
        var removed = new List<NodePlace>();
        var top = TreeNode.Decode(source.Read(root));
        if (top.Count == 0)
        {
            if (!edits.Any(edit => edit.Value is not null))
                return new EditedTree(root, top.Level, [], []);
            removed.Add(new NodePlace(0, EncodedNode.Empty.FirstKey));
            return Build(edits, level: 0, created, removed);
        }

        for (var level = 0; level <= top.Level; level++)
        {
            edits = EditLevel(new TreeCursor(source, root), level, edits, created);
            if (edits.Count == 0)
                return new EditedTree(root, top.Level, [], []);
            removed.AddRange(edits.Where(edit => edit.Value is null).Select(edit => new NodePlace(level, edit.Key)));
        }

        var pairs = PairsAbove(top, root, edits);
        return pairs.Count switch
        {
            0 => Build([], level: 0, created, removed),
            1 => Collapse(source, new Digest(pairs[0].Value), created, removed),
            _ => Build(pairs, top.Level + 1, created, removed),
        };
    }

    private static void CheckOrder(IReadOnlyList<TreeEdit> edits)
    {
        for (var i = 1; i < edits.Count; i++)
        {
            if (edits[i - 1].Key.AsSpan().SequenceCompareTo(edits[i].Key) >= 0)
                throw new ArgumentException("Edits must come in rising key order, one for a key.", nameof(edits));
        }
    }

    /// <summary>What stands above the top level after its edits. Before them it was one pair, of the root, which may have stayed.</summary>
    private static List<TreeEdit> PairsAbove(TreeNode top, Digest root, IReadOnlyList<TreeEdit> edits)
    {
        var pairs = edits.Where(edit => edit.Value is not null).ToList();
        var rootPair = new TreeEdit(top.Key(0).ToArray(), root.ToArray());
        if (!edits.Any(edit => edit.Key.AsSpan().SequenceEqual(rootPair.Key)))
            pairs.Insert(pairs.Count(pair => pair.Key.AsSpan().SequenceCompareTo(rootPair.Key) < 0), rootPair);
        return pairs;
    }

    private static EditedTree Build(IReadOnlyList<TreeEdit> edits, int level, List<EncodedNode> created, List<NodePlace> removed)
    {
        var builder = new TreeBuilder(created.Add, level);
        foreach (var edit in edits)
        {
            if (edit.Value is not null)
                builder.Append(edit.Key, edit.Value);
        }

        var root = builder.Finish();
        return Of(root, created[^1].Level, created, removed);
    }

    /// <summary>A root with one child is none: the child is.</summary>
    private static EditedTree Collapse(INodeSource source, Digest root, List<EncodedNode> created, List<NodePlace> removed)
    {
        var byDigest = created.ToDictionary(node => node.Digest, node => node.Bytes);
        while (true)
        {
            var node = TreeNode.Decode(byDigest.TryGetValue(root, out var bytes) ? bytes : source.Read(root));
            if (node.IsLeaf || node.Count > 1)
                return Of(root, node.Level, created, removed);
            root = node.Child(0);
        }
    }

    private static EditedTree Of(Digest root, int height, List<EncodedNode> created, List<NodePlace> removed)
    {
        var inUse = created.FindAll(node => node.Level <= height);
        var places = inUse.Select(node => (node.Level, new EntryKey(node.FirstKey))).ToHashSet();
        return new EditedTree(
            root, height, inUse, removed.FindAll(place => place.Level <= height && !places.Contains((place.Level, new EntryKey(place.FirstKey)))));
    }

    private static List<TreeEdit> EditLevel(
        TreeCursor cursor, int level, IReadOnlyList<TreeEdit> edits, List<EncodedNode> created)
    {
        var above = new List<TreeEdit>();
        var writer = new NodeWriter(level);
        for (var next = 0; next < edits.Count;)
        {
            cursor.SeekNode(level, edits[next].Key);
            var before = new List<TreeEdit>();
            var after = new List<EncodedNode>();
            do
            {
                before.Add(new TreeEdit(cursor.Node.Key(0).ToArray(), cursor.NodeDigest.ToArray()));
                next = MergeNode(cursor, edits, next, writer, after);
            }
            while (writer.Count > 0 && cursor.NextNode());

            if (writer.Count > 0)
                after.Add(writer.Complete());
            Replace(before, after, above, created);
        }

        return above;
    }

    /// <summary>Writes the entries of the cursor's node, edited by the edits that fall into its range.</summary>
    /// <returns>Index of the first edit behind the range.</returns>
    private static int MergeNode(
        TreeCursor cursor, IReadOnlyList<TreeEdit> edits, int next, NodeWriter writer, List<EncodedNode> added)
    {
        var node = cursor.Node;
        var index = 0;
        while (true)
        {
            var hasEdit = next < edits.Count
                && (cursor.Upper is not { } upper || edits[next].Key.AsSpan().SequenceCompareTo(upper) < 0);
            if (index == node.Count && !hasEdit)
                return next;

            var order = !hasEdit ? -1 : index == node.Count ? 1 : node.Key(index).SequenceCompareTo(edits[next].Key);
            if (order < 0)
                writer.Add(node.Key(index), node.Value(index));
            else if (edits[next].Value is { } value)
                writer.Add(edits[next].Key, value);

            if (order <= 0)
                index++;
            if (order >= 0)
                next++;
            if (writer.IsClosed)
                added.Add(writer.Complete());
        }
    }

    /// <summary>What became of the nodes of one stretch, as edits of the level above.</summary>
    private static void Replace(
        List<TreeEdit> before, List<EncodedNode> after, List<TreeEdit> above, List<EncodedNode> created)
    {
        var old = 0;
        foreach (var node in after)
        {
            while (old < before.Count && before[old].Key.AsSpan().SequenceCompareTo(node.FirstKey) < 0)
                above.Add(new TreeEdit(before[old++].Key, null));

            var edit = new TreeEdit(node.FirstKey, node.Digest.ToArray());
            var replaces = old < before.Count && before[old].Key.AsSpan().SequenceEqual(node.FirstKey);
            if (replaces && before[old++].Value.AsSpan().SequenceEqual(edit.Value))
                continue;

            above.Add(edit);
            created.Add(node);
        }

        while (old < before.Count)
            above.Add(new TreeEdit(before[old++].Key, null));
    }
}
