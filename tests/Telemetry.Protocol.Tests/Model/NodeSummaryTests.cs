using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>Nodes whose form is right but which no tree has are refused beside their children.</summary>
public sealed class NodeSummaryTests
{
    private static readonly byte[][] Open = Some.KeysWithoutBoundary("open", 200);
    private static readonly byte[] Closed = Some.KeyWithBoundary("shut");

    [Fact]
    public void Check_OfALeaf_TellsWhatItsParentNeeds()
    {
        var summary = new Checker().Add(NodeBytes.Leaf(Open[0], Open[1], Closed));

        Assert.Equal((0, 3L, true), (summary.Level, summary.Entries, summary.IsSealed));
        Assert.Equal(Open[0], summary.FirstKey);
        Assert.Equal(Closed, summary.LastKey);
    }

    [Fact]
    public void Check_OfALeafWithoutABoundary_IsNotSealed() =>
        Assert.False(new Checker().Add(NodeBytes.Leaf(Open[0], Open[1])).IsSealed);

    [Fact]
    public void Check_OfAFullLeaf_IsSealed() =>
        Assert.True(new Checker().Add(NodeBytes.Leaf(Open[..Boundary.MaxEntries])).IsSealed);

    [Fact]
    public void Check_OfABoundaryInsideALeaf_Refuses() =>
        Refuses("a boundary inside", checker => checker.Add(NodeBytes.Leaf(Closed, Some.Utf8("t"))));

    [Fact]
    public void Check_OfMoreKeyBytesThanARunMayHave_Refuses()
    {
        var keys = Some.KeysWithoutBoundary("", 10, new string('k', 4000));

        Assert.True(new Checker().Add(NodeBytes.Leaf(keys[..9])).IsSealed);
        Refuses("more keys than a node holds", checker => checker.Add(NodeBytes.Leaf(keys[..10])));
    }

    [Fact]
    public void Check_OfABoundaryInsideAnInteriorNode_Refuses()
    {
        var first = Key(key => Boundary.IsNatural(key, 0) && Boundary.IsNatural(key, 1));

        Refuses("a boundary inside", checker => checker.AddParent(1, checker.Add(NodeBytes.Leaf(first)), checker.Add(NodeBytes.Leaf(Some.Utf8("z")))));
    }

    [Fact]
    public void Check_OfAnInteriorNode_JoinsItsChildren()
    {
        var checker = new Checker();

        var summary = checker.AddParent(1, checker.Add(NodeBytes.Leaf(Open[0], Closed)), checker.Add(NodeBytes.Leaf(Some.Utf8("t"))));

        Assert.Equal((1, 3L, false), (summary.Level, summary.Entries, summary.IsSealed));
        Assert.Equal(Open[0], summary.FirstKey);
        Assert.Equal(Some.Utf8("t"), summary.LastKey);
    }

    [Fact]
    public void Check_OfAnOpenChildThatIsNotTheLast_Refuses() =>
        Refuses("ends without a boundary", checker => checker.AddParent(1, checker.Add(NodeBytes.Leaf(Open[0])), checker.Add(NodeBytes.Leaf(Open[1]))));

    [Fact]
    public void Check_OfAnOpenGrandchildThatIsNotTheLast_Refuses()
    {
        // The left parent ends in a boundary of its own, but the leaf below it does not.
        var first = Key(key => !Boundary.IsNatural(key, 0) && Boundary.IsNatural(key, 1));

        Refuses("ends without a boundary", checker => checker.AddParent(
            2,
            checker.AddParent(1, checker.Add(NodeBytes.Leaf(first))),
            checker.AddParent(1, checker.Add(NodeBytes.Leaf(Some.Utf8("z"))))));
    }

    [Fact]
    public void Check_OfAChildWithAnotherFirstKey_Refuses() =>
        Refuses("begin with its key", checker => checker.AddParent(1, (Open[1], checker.Add(NodeBytes.Leaf(Open[0])))));

    [Fact]
    public void Check_OfChildrenThatOverlap_Refuses()
    {
        var first = Some.KeyWithBoundary("shut", from: 1000);

        Refuses("overlap", checker => checker.AddParent(
            1, checker.Add(NodeBytes.Leaf(Open[0], first)), checker.Add(NodeBytes.Leaf(Open[1]))));
        Assert.True(Open[1].AsSpan().SequenceCompareTo(first) < 0);
    }

    [Fact]
    public void Check_OfALeafAboveALevelTooMany_Refuses() =>
        Refuses("a node of level 0 under one of level 2", checker => checker.AddParent(2, checker.Add(NodeBytes.Leaf(Open[0]))));

    [Fact]
    public void Check_OfAnInteriorChildAmongLeaves_Refuses() =>
        Refuses("a node of level 1 under one of level 1", checker => checker.AddParent(1, checker.AddParent(1, checker.Add(NodeBytes.Leaf(Open[0])))));

    [Fact]
    public void Check_OfAnEmptyLeafAsChild_Refuses() =>
        Refuses("begin with its key", checker => checker.AddParent(1, checker.Add(EncodedNode.Empty.Bytes)));

    [Fact]
    public void Check_OfTheSameChildTwice_Refuses() =>
        Refuses("begin with its key", checker =>
        {
            var leaf = checker.Add(NodeBytes.Leaf(Closed));
            checker.AddParent(1, (Closed, leaf), (Some.Utf8("t"), leaf));
        });

    [Fact]
    public void Check_OfAValueThatIsNoFingerprint_Refuses() =>
        Refuses("entry state 9", checker => checker.Add(NodeBytes.Node(0, (Open[0], [0x09]))));

    [Fact]
    public void Check_OfAnEmptyValue_Refuses() =>
        Refuses("end early", checker => checker.Add(NodeBytes.Node(0, (Open[0], []))));

    [Fact]
    public void CanBeRoot_OfASingleChild_IsFalse()
    {
        var leaf = NodeBytes.Leaf(Open[0]);

        Assert.True(NodeSummary.CanBeRoot(TreeNode.Decode(leaf)));
        Assert.True(NodeSummary.CanBeRoot(TreeNode.Decode(EncodedNode.Empty.Bytes)));
        Assert.False(NodeSummary.CanBeRoot(TreeNode.Decode(NodeBytes.Node(1, (Open[0], TreeNode.DigestOf(leaf).ToArray())))));
    }

    private static void Refuses(string reason, Action<Checker> steps)
    {
        var refusal = Assert.Throws<NotCanonicalException>(() => steps(new Checker()));

        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    private static byte[] Key(Func<byte[], bool> wanted) =>
        Enumerable.Range(0, int.MaxValue).Select(i => Some.Utf8($"{i:d7}")).First(wanted);

    /// <summary>Takes nodes as they arrive, as a receiver does.</summary>
    private sealed class Checker
    {
        private readonly Dictionary<Digest, NodeSummary> _known = [];

        public NodeSummary Add(byte[] bytes)
        {
            var digest = TreeNode.DigestOf(bytes);
            return _known[digest] = NodeSummary.Check(TreeNode.Decode(bytes), digest, child => _known[child]);
        }

        public NodeSummary AddParent(int level, params NodeSummary[] children) =>
            AddParent(level, [.. children.Select(child => (child.FirstKey, child))]);

        public NodeSummary AddParent(int level, params (byte[] Key, NodeSummary Child)[] children) =>
            Add(NodeBytes.Node(level, [.. children.Select(pair => (pair.Key, pair.Child.Digest.ToArray()))]));
    }
}
