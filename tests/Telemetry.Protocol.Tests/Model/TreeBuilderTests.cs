using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class TreeBuilderTests
{
    [Fact]
    public void Finish_WithoutEntries_HandsOutTheEmptyLeaf()
    {
        var tree = new EntryMap().Build();

        Assert.Equal(EncodedNode.Empty, Assert.Single(tree.Nodes));
        Assert.Equal(EncodedNode.Empty.Digest, tree.Root);
    }

    [Fact]
    public void Append_AKeyThatIsNotGreater_Refuses()
    {
        var builder = new TreeBuilder(_ => { });
        builder.Append(Some.Key("/b"), Some.File());

        Assert.Throws<ArgumentException>(() => builder.Append(Some.Key("/b"), Some.File()));
        Assert.Throws<ArgumentException>(() => builder.Append(Some.Key("/a"), Some.File()));
    }

    [Fact]
    public void Append_AKeyThatIsNotGreaterBehindACut_Refuses()
    {
        var closed = Some.KeyWithBoundary("b");
        var builder = new TreeBuilder(_ => { });
        builder.Append(closed, Some.Value());

        Assert.Throws<ArgumentException>(() => builder.Append(closed, Some.Value()));
        Assert.Throws<ArgumentException>(() => builder.Append("a"u8, Some.Value()));
    }

    [Fact]
    public void Append_WhatIsTooLong_Refuses()
    {
        var builder = new TreeBuilder(_ => { });

        Assert.Throws<ArgumentException>(() => builder.Append(new byte[EntryKey.MaxLength + 1], Some.Value()));
        Assert.Throws<ArgumentException>(() => builder.Append("a"u8, new byte[Fingerprint.MaxLength + 1]));
    }

    [Fact]
    public void Append_ManyEntries_HandsOutChildrenBeforeParents()
    {
        var seen = new HashSet<Digest>();

        foreach (var encoded in Some.Files(3000).Build().Nodes)
        {
            var node = TreeNode.Decode(encoded.Bytes);
            if (!node.IsLeaf)
                Assert.All(Enumerable.Range(0, node.Count), i => Assert.Contains(node.Child(i), seen));
            Assert.True(seen.Add(encoded.Digest));
        }
    }

    [Fact]
    public void Apply_EditsOutOfOrder_Refuses()
    {
        var tree = Some.Files(10).Build();
        var (a, b) = (new TreeEdit([1], Some.Value()), new TreeEdit([2], null));

        Assert.Throws<ArgumentException>(() => tree.Apply(b, a));
        Assert.Throws<ArgumentException>(() => tree.Apply(a, a));
    }
}
