using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>Bytes that no encoder makes are refused as they arrive.</summary>
public sealed class TreeNodeTests
{
    private static readonly byte[] Value = Some.Value();

    [Fact]
    public void Decode_OfTheEmptyLeaf_HasNoEntries()
    {
        var node = TreeNode.Decode(EncodedNode.Empty.Bytes);

        Assert.True(node.IsLeaf);
        Assert.Equal(0, node.Count);
        Assert.Equal(-1, node.Search([]));
    }

    [Fact]
    public void Decode_OfALeaf_GivesBackItsEntries()
    {
        var node = TreeNode.Decode(NodeBytes.Leaf([], Some.Utf8("a"), Some.Utf8("ab"), Some.Utf8("b")));

        Assert.Equal(["", "a", "ab", "b"], Enumerable.Range(0, 4).Select(i => System.Text.Encoding.UTF8.GetString(node.Key(i))));
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(Value, node.Value(i).ToArray()));
        Assert.Equal(2, node.Search("ab"u8));
        Assert.Equal(~3, node.Search("ac"u8));
    }

    public static TheoryData<string, byte[]> Wrong => new()
    {
        { "nothing", [] },
        { "a format alone", [TreeNode.Format] },
        { "an unknown format", [TreeNode.Format + 1, 0, 0] },
        { "format zero", [0, 0, 0] },
        { "no number of entries", [TreeNode.Format, 0] },
        { "an interior node without children", [TreeNode.Format, 1, 0] },
        { "a level above all", NodeBytes.Node(Boundary.MaxLevel + 1, ([], new byte[32])) },
        { "level 255", NodeBytes.Node(255, ([], new byte[32])) },
        { "more entries than a node may have", NodeBytes.Of(0, 129).ToArray() },
        { "an absurd number of entries", NodeBytes.Of(0, ulong.MaxValue).ToArray() },
        { "a number of entries in a longer form", NodeBytes.Of(0, 0x80).ToArray()[..2].Concat<byte>([0x81, 0x00]).ToArray() },
        { "a number without end", [TreeNode.Format, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00] },
        { "a number of more than 64 bits", [TreeNode.Format, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02] },
        { "fewer entries than it says", NodeBytes.Of(0, 2).Entry(0, [1], Value).ToArray() },
        { "more entries than it says", NodeBytes.Of(0, 1).Entry(0, [1], Value).Entry(0, [2], Value).ToArray() },
        { "bytes after the end", [.. NodeBytes.Leaf([1]), 0] },
        { "keys out of order", NodeBytes.Of(0, 2).Entry(0, [2], Value).Entry(0, [1], Value).ToArray() },
        { "the same key twice", NodeBytes.Of(0, 2).Entry(0, [1], Value).Entry(1, [], Value).ToArray() },
        { "the empty key twice", NodeBytes.Of(0, 2).Entry(0, [], Value).Entry(0, [], Value).ToArray() },
        { "a key that is a prefix of the one before", NodeBytes.Of(0, 2).Entry(0, [1, 1], Value).Entry(1, [], Value).ToArray() },
        { "a shared prefix told too short", NodeBytes.Of(0, 2).Entry(0, [1, 1], Value).Entry(0, [1, 2], Value).ToArray() },
        { "a shared prefix longer than the key before", NodeBytes.Of(0, 2).Entry(0, [1], Value).Entry(2, [2], Value).ToArray() },
        { "a shared prefix in the first key", NodeBytes.Of(0, 1).Entry(1, [1], Value).ToArray() },
        { "a key that is too long", NodeBytes.Leaf(new byte[EntryKey.MaxLength + 1]) },
        { "a key that is too long with its prefix", NodeBytes.Of(0, 2).Entry(0, new byte[EntryKey.MaxLength], Value).Entry(EntryKey.MaxLength, [1], Value).ToArray() },
        { "a key longer than the bytes", NodeBytes.Of(0, 1).Number(0).Number(100).Raw(1, 2).ToArray() },
        { "a value that is too long", NodeBytes.Node(0, ([1], new byte[Fingerprint.MaxLength + 1])) },
        { "a value longer than the bytes", NodeBytes.Of(0, 1).Number(0).Number(1).Raw(1).Number(50).Raw(0).ToArray() },
        { "a digest cut short", NodeBytes.Node(1, ([1], new byte[31])) },
        { "more bytes than any node has", new byte[TreeNode.MaxLength + 1] },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void Decode_OfWrongBytes_Refuses(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        Assert.Throws<NotCanonicalException>(() => TreeNode.Decode(bytes));
    }

    [Fact]
    public void Length_OfTheGreatestNode_IsWithinTheLimit()
    {
        // 128 values of full length; keys as long as may be without a cut before the last, sharing nothing.
        var pairs = new List<(byte[], byte[])>();
        var value = new byte[Fingerprint.MaxLength];
        for (var i = 0; i < 127; i++)
            pairs.Add(([(byte)i, .. new byte[256]], value));
        pairs.Add(([0xff, .. new byte[EntryKey.MaxLength - 1]], value));

        var bytes = NodeBytes.Node(0, [.. pairs]);

        Assert.InRange(bytes.Length, 100_000, TreeNode.MaxLength);
        Assert.Equal(128, TreeNode.Decode(bytes).Count);
    }
}
