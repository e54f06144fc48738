using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>Runs that somebody keeps free of natural boundaries: where they are cut, and what that costs.</summary>
public sealed class BoundaryTests
{
    [Theory]
    [InlineData(127, 1)]
    [InlineData(128, 1)]
    [InlineData(129, 2)]
    [InlineData(256, 2)]
    [InlineData(257, 3)]
    public void Run_OfManyEntries_IsCutAfterEvery128(int entries, int leaves)
    {
        var tree = Map(Some.KeysWithoutBoundary("run", entries)).Build();

        Assert.Equal(leaves, Leaves(tree).Count);
        Assert.All(Leaves(tree).SkipLast(1), leaf => Assert.Equal(Boundary.MaxEntries, leaf.Count));
    }

    [Theory]
    [InlineData(1024, 32, 1)]
    [InlineData(1024, 33, 2)]
    [InlineData(1023, 33, 1)]
    [InlineData(1023, 34, 2)]
    [InlineData(4096, 8, 1)]
    [InlineData(4096, 9, 2)]
    public void Run_OfLongKeys_IsCutAt32KiBOfKeys(int keyLength, int entries, int leaves)
    {
        var keys = Some.KeysWithoutBoundary("", entries, new string('k', keyLength - 6));

        Assert.Equal(leaves, Leaves(Map(keys).Build()).Count);
    }

    [Fact]
    public void Run_BehindANaturalBoundary_IsCountedFromIt()
    {
        var before = Some.KeysWithoutBoundary("a", 50).Append(Some.KeyWithBoundary("b"));
        var run = Some.KeysWithoutBoundary("c", 130);

        var leaves = Leaves(Map([.. before, .. run]).Build());

        Assert.Equal([51, 128, 2], leaves.Select(leaf => leaf.Count));
    }

    [Fact]
    public void Insertion_IntoAForcedRun_MovesCutsUpToTheNextNaturalBoundaryAndNoFurther()
    {
        var run = Some.KeysWithoutBoundary("b", 1300);
        var map = Map([.. Some.KeysWithoutBoundary("a", 300), Some.KeyWithBoundary("a9"), .. run[1..], Some.KeyWithBoundary("c"), .. Some.KeysWithoutBoundary("d", 300)]);
        var tree = map.Build();

        var edited = tree.Apply(new TreeEdit(run[0], Some.Value()));

        // 1300 entries make eleven leaves, each of which begins one entry earlier; those before and behind stay.
        var moved = edited.Created.Where(node => node.Level == 0).ToList();
        Assert.Equal(11, moved.Count);
        Assert.All(moved, leaf => Assert.Equal((byte)'b', leaf.FirstKey[0]));
        Assert.Equal(map.With([new TreeEdit(run[0], Some.Value())]).Build().Root, edited.Root);
    }

    [Fact]
    public void Insertion_AtTheHeadOfALongForcedRun_RewritesTheRunOnce()
    {
        // What hostile names can do at worst: every leaf of the run is rewritten, and what is above it.
        var run = Some.KeysWithoutBoundary("home\0mallory\0", 20_000);
        var tree = Map([.. Some.Files(20_000).Keys, .. run[1..]]).Build();

        var edited = tree.Apply(new TreeEdit(run[0], Some.Value()));

        var bytes = edited.Created.Sum(node => node.Bytes.Length);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"one insertion before 20,000 entries without a boundary: {edited.Created.Count} nodes, {bytes:N0} bytes; the tree has {tree.Nodes.Count} nodes, {tree.Nodes.Sum(node => node.Bytes.Length):N0} bytes");
        Assert.InRange(edited.Created.Count(node => node.Level == 0), 157, 159);
        Assert.InRange(edited.Created.Count(node => node.Level > 0), 1, 40);
        Assert.Equal(Map([.. Some.Files(20_000).Keys, .. run]).Build().Root, edited.Root);
    }

    [Fact]
    public void Change_OfAValueInAForcedRun_RewritesOnePath()
    {
        var run = Some.KeysWithoutBoundary("run", 20_000);
        var tree = Map(run).Build();

        var edited = tree.Apply(new TreeEdit(run[10_000], Some.Value(1)));

        Assert.Equal(tree.Height, edited.Created.Count);
    }

    [Fact]
    public void Change_OfOneFileAmongMany_RewritesOnePath()
    {
        var map = Some.Files(50_000);
        var tree = map.Build();
        var sizes = new List<int>();

        foreach (var key in map.Keys.Where((_, index) => index % 250 == 0))
        {
            var edited = tree.Apply(new TreeEdit(key, Some.Value(-1)));
            Assert.Equal(tree.Height, edited.Created.Count);
            sizes.Add(edited.Created.Sum(node => node.Bytes.Length));
        }

        sizes.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"one change among 50,000: mean {sizes.Average():N0} bytes, p95 {sizes[sizes.Count * 95 / 100]:N0}, height {tree.Height}");
        Assert.InRange(sizes.Average(), 1, 16_000);
    }

    private static EntryMap Map(IReadOnlyList<byte[]> keys)
    {
        var map = new EntryMap();
        foreach (var key in keys)
            map[key] = Some.Value();
        return map;
    }

    private static List<EncodedNode> Leaves(BuiltTree tree) => [.. tree.Nodes.Where(node => node.Level == 0)];
}
