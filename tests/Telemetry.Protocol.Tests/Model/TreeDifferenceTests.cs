using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class TreeDifferenceTests
{
    [Fact]
    public void Between_EqualRoots_ReadsNothing()
    {
        var tree = Some.Files(1000).Build();

        Assert.Empty(TreeDifference.Between(tree, tree.Root, tree, tree.Root));
        Assert.Equal(0, tree.Reads);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(100)]
    public void Between_TreesWithFewChanges_ReadsAPathForEach(int changes)
    {
        var map = Some.Files(50_000);
        var keys = map.Keys.ToArray();
        var edits = Enumerable.Range(0, changes)
            .Select(i => keys[(int)((i + 0.5) * keys.Length / changes)])
            .Select((key, i) => (i % 3) switch
            {
                0 => new TreeEdit(key, Some.Value(-1)),
                1 => new TreeEdit(key, null),
                _ => new TreeEdit([.. key, (byte)'~'], Some.Value(-2)),
            })
            .ToArray();
        var (before, after) = (map.Build(), map.With(edits).Build());

        var found = TreeDifference.Between(before, before.Root, after, after.Root).Count();

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{changes} changes among 50,000: {before.Reads} + {after.Reads} node reads of {before.Nodes.Count} + {after.Nodes.Count}, height {before.Height}");
        Assert.Equal(changes, found);

        // A change may split or join a node, so that beside its own path one neighbour is read.
        Assert.InRange(before.Reads, 1, changes * (before.Height + 1));
        Assert.InRange(after.Reads, 1, changes * (after.Height + 1));
    }

    [Fact]
    public void Between_ATreeAndTheEmptyOne_ReportsEverything()
    {
        var (empty, full) = (new EntryMap().Build(), Some.Files(100).Build());

        Assert.All(TreeDifference.Between(empty, empty.Root, full, full.Root), change => Assert.Null(change.Before));
        Assert.Equal(100, TreeDifference.Between(full, full.Root, empty, empty.Root).Count(change => change.After is null));
    }

    [Fact]
    public void Between_ANodeThatIsMissing_SaysWhich()
    {
        var (full, other) = (Some.Files(100).Build(), Some.Files(101).Build());
        var hollow = new BuiltTree(full.Root, [.. full.Nodes.Where(node => node.Digest == full.Root)]);

        Assert.Throws<NodeMissingException>(() => TreeDifference.Between(hollow, hollow.Root, other, other.Root).Count());
    }
}
