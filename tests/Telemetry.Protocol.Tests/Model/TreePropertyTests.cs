using FsCheck.Xunit;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>What holds for every tree and every change of one.</summary>
[Properties(Arbitrary = [typeof(TreeCases)], MaxTest = 150, QuietOnSuccess = true)]
public sealed class TreePropertyTests
{
    [Property]
    public void Build_OfAnyEntries_GivesACanonicalTree(TreeCase given)
    {
        var map = given.StartMap();

        var tree = map.Build();

        var summary = CheckAll(tree.Nodes)[tree.Root];
        Assert.Equal(map.Count, summary.Entries);
        Assert.True(NodeSummary.CanBeRoot(TreeNode.Decode(tree.Read(tree.Root))));
        Assert.Equal(tree.Nodes.Count, tree.Nodes.DistinctBy(node => node.Digest).Count());
    }

    [Property]
    public void Apply_ABatch_GivesTheTreeABuilderMakes(TreeCase given)
    {
        var tree = given.StartMap().Build();
        var expected = given.StartMap().With(given.Batch()).Build();

        var edited = tree.Apply(given.Batch());

        Assert.Equal(expected.Root, edited.Root);
    }

    [Property(MaxTest = 60)]
    public void Apply_SingleEditsInAnyOrder_GivesTheTreeABuilderMakes(TreeCase given, int seed)
    {
        var target = given.StartMap();
        var edits = target.Select(entry => new TreeEdit(entry.Key, entry.Value)).ToArray();
        new Random(seed).Shuffle(edits);

        var tree = new EntryMap().Build();
        foreach (var edit in edits.Take(200))
            tree = tree.After(tree.Apply(edit));
        foreach (var chunk in edits.Skip(200).Chunk(100))
            tree = tree.After(tree.Apply([.. chunk.OrderBy(edit => edit.Key, EntryMap.ByteOrder)]));

        Assert.Equal(target.Build().Root, tree.Root);
    }

    [Property(MaxTest = 60)]
    public void Apply_SingleEdits_GivesTheTreeOfTheBatch(TreeCase given)
    {
        var nodes = new MemoryNodes();
        var tree = given.StartMap().Build();
        foreach (var node in tree.Nodes)
            nodes.Add(node);

        var root = tree.Root;
        foreach (var edit in given.SingleEdits())
        {
            var edited = TreeEditor.Apply(nodes, root, [edit]);
            root = edited.Root;
            foreach (var node in edited.Created)
                nodes.Add(node);
        }

        Assert.Equal(tree.Apply(given.Batch()).Root, root);
    }

    [Property]
    public void Apply_ABatch_CreatesExactlyTheNodesTheOldTreeLacks(TreeCase given)
    {
        var tree = given.StartMap().Build();
        var expected = given.StartMap().With(given.Batch()).Build();

        var edited = tree.Apply(given.Batch());

        Assert.Equal(
            expected.Nodes.Select(node => node.Digest).Where(digest => !tree.Has(digest)).Order(),
            edited.Created.Select(node => node.Digest).Order());
        CheckAll(edited.Created, CheckAll(tree.Nodes));
    }

    [Property]
    public void Apply_ABatch_SaysWhereNodesStandNow(TreeCase given)
    {
        var tree = given.StartMap().Build();
        var expected = given.StartMap().With(given.Batch()).Build();

        var edited = tree.Apply(given.Batch());

        var places = Places(tree.Nodes);
        foreach (var place in places.Keys.Where(place => place.Level > edited.Height).ToList())
            places.Remove(place);
        foreach (var place in edited.Removed)
            Assert.True(places.Remove((place.Level, new EntryKey(place.FirstKey))));
        foreach (var node in edited.Created)
            places[(node.Level, new EntryKey(node.FirstKey))] = node.Digest;
        Assert.Equal(Places(expected.Nodes), places);
    }

    private static Dictionary<(int Level, EntryKey FirstKey), Digest> Places(IEnumerable<EncodedNode> nodes) =>
        nodes.ToDictionary(node => (node.Level, new EntryKey(node.FirstKey)), node => node.Digest);

    [Property]
    public void Apply_OtherValuesOnly_MovesNoBoundary(TreeCase given)
    {
        var map = given.StartMap();
        var changed = new EntryMap(map);
        foreach (var key in map.Keys.Where((_, index) => index % 3 == 0))
            changed[key] = Some.Value(77);

        Assert.Equal(Shape(map.Build()), Shape(changed.Build()));
    }

    [Property]
    public void Difference_OfTwoTrees_IsThatOfTheirMaps(TreeCase given)
    {
        var before = given.StartMap();
        var after = before.With(given.Batch());
        var (beforeTree, afterTree) = (before.Build(), after.Build());

        var changes = TreeDifference.Between(beforeTree, beforeTree.Root, afterTree, afterTree.Root);

        Assert.Equal(ExpectedChanges(before, after), changes.Select(Line));
    }

    [Property]
    public void Difference_OfUnrelatedTrees_IsThatOfTheirMaps(TreeCase given)
    {
        var before = given.StartMap();
        var after = new EntryMap().With(given.Batch());
        var (beforeTree, afterTree) = (before.Build(), after.Build());

        var changes = TreeDifference.Between(beforeTree, beforeTree.Root, afterTree, afterTree.Root);

        Assert.Equal(ExpectedChanges(before, after), changes.Select(Line));
    }

    [Property]
    public void Delta_AppliedToItsStart_GivesItsEndAndBack(TreeCase given)
    {
        var before = given.StartMap().Build();
        var after = given.StartMap().With(given.Batch()).Build();
        var delta = Delta.Between(before, before.Root, after, after.Root);

        Assert.Equal(after.Root, delta.ApplyTo(before, before.Root).Root);
        Assert.Equal(before.Root, delta.Inverse().ApplyTo(after, after.Root).Root);
    }

    [Property]
    public void Delta_AppliedToAnotherStart_IsRefused(TreeCase given)
    {
        var before = given.StartMap().Build();
        var after = given.StartMap().With(given.Batch()).Build();
        var delta = Delta.Between(before, before.Root, after, after.Root);

        foreach (var change in delta.Changes.Where((_, index) => index % 20 == 0))
        {
            var other = change.Before is null
                ? new TreeEdit(change.Key.Bytes.ToArray(), Some.Value(99))
                : new TreeEdit(change.Key.Bytes.ToArray(), null);
            var start = before.After(before.Apply(other));

            var conflict = Assert.Throws<DeltaConflictException>(() => delta.ApplyTo(start, start.Root));
            Assert.Equal(change.Key, conflict.Key);
        }
    }

    [Property(MaxTest = 60)]
    public void Find_OfAnyKey_IsWhatTheMapHas(TreeCase given)
    {
        var map = given.StartMap();
        var tree = map.Build();

        foreach (var key in map.Keys.Concat(given.SingleEdits().Select(edit => edit.Key)))
            Assert.Equal(map.GetValueOrDefault(key), TreeReader.FindValue(tree, tree.Root, new EntryKey(key)));
    }

    [Property(MaxTest = 60)]
    public void Entries_BelowAnyKey_AreThoseOfTheMap(TreeCase given)
    {
        var map = given.StartMap();
        var tree = map.Build();
        byte[][] keys = [.. map.Keys, .. given.SingleEdits().Select(edit => edit.Key)];
        byte[][] prefixes = [[], Some.Utf8("usr"), Some.Utf8("usr\0lib"), Some.Utf8("none"), .. keys.Where((_, index) => index % 25 == 0)];

        foreach (var prefix in prefixes)
        {
            Assert.Equal(
                map.Where(entry => EntryKey.IsUnder(entry.Key, prefix)).Select(entry => Line(entry.Key, entry.Value)),
                TreeReader.Entries(tree, tree.Root, new EntryKey(prefix)).Select(entry => Line(entry.Key.Bytes, entry.Value)));
        }
    }

    /// <summary>Checks nodes that come children first, as a receiver does.</summary>
    private static Dictionary<Digest, NodeSummary> CheckAll(
        IEnumerable<EncodedNode> nodes, IReadOnlyDictionary<Digest, NodeSummary>? known = null)
    {
        var summaries = new Dictionary<Digest, NodeSummary>(known ?? new Dictionary<Digest, NodeSummary>());
        foreach (var node in nodes)
        {
            Assert.Equal(node.Digest, TreeNode.DigestOf(node.Bytes));
            summaries[node.Digest] = NodeSummary.Check(TreeNode.Decode(node.Bytes), node.Digest, child => summaries[child]);
        }

        return summaries;
    }

    /// <summary>Keys of every node, digests left out.</summary>
    private static IEnumerable<string> Shape(BuiltTree tree)
    {
        foreach (var encoded in tree.Nodes)
        {
            var node = TreeNode.Decode(encoded.Bytes);
            yield return $"{node.Level}: {string.Join(' ', Enumerable.Range(0, node.Count).Select(i => Convert.ToHexString(node.Key(i))))}";
        }
    }

    private static IEnumerable<string> ExpectedChanges(EntryMap before, EntryMap after)
    {
        var keys = new SortedSet<byte[]>(before.Keys.Concat(after.Keys), EntryMap.ByteOrder);
        foreach (var key in keys)
        {
            var (left, right) = (before.GetValueOrDefault(key), after.GetValueOrDefault(key));
            if (left is null || right is null || !left.AsSpan().SequenceEqual(right))
                yield return Line(new EntryChange(new EntryKey(key), left, right));
        }
    }

    private static string Line(EntryChange change) =>
        $"{Convert.ToHexString(change.Key.Bytes)}: {Hex(change.Before)} -> {Hex(change.After)}";

    private static string Line(ReadOnlySpan<byte> key, byte[] value) => $"{Convert.ToHexString(key)}: {Hex(value)}";

    private static string Hex(byte[]? bytes) => bytes is null ? "none" : Convert.ToHexString(bytes);
}
