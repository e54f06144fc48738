using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>
/// Damage of every kind to real nodes: it is refused with the one exception a receiver expects, or the bytes are exactly what
/// the encoder makes of the entries they hold. Two byte strings never mean the same node.
/// </summary>
public sealed class NodeTamperingTests
{
    private static readonly BuiltTree Tree = Sample();

    public static TheoryData<int> Nodes => [.. Enumerable.Range(0, Tree.Nodes.Count)];

    [Theory, MemberData(nameof(Nodes))]
    public void Node_WithAnyBitFlipped_IsRefusedOrAnotherCanonicalNode(int index)
    {
        var bytes = Tree.Nodes[index].Bytes;
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var tampered = bytes.ToArray();
            tampered[bit / 8] ^= (byte)(1 << (bit % 8));
            Judge(tampered);
        }
    }

    [Theory, MemberData(nameof(Nodes))]
    public void Node_WithAnyByteReplaced_IsRefusedOrAnotherCanonicalNode(int index)
    {
        var bytes = Tree.Nodes[index].Bytes;
        for (var position = 0; position < bytes.Length; position++)
        {
            foreach (var value in (ReadOnlySpan<byte>)[0x00, 0x01, 0x7f, 0x80, 0xff])
            {
                var tampered = bytes.ToArray();
                tampered[position] = value;
                Judge(tampered);
            }
        }
    }

    [Theory, MemberData(nameof(Nodes))]
    public void Node_CutAnywhere_IsRefused(int index)
    {
        var bytes = Tree.Nodes[index].Bytes;
        for (var length = 0; length < bytes.Length; length++)
            Assert.False(Judge(bytes[..length]));
    }

    [Theory, MemberData(nameof(Nodes))]
    public void Node_WithBytesAppended_IsRefused(int index)
    {
        var bytes = Tree.Nodes[index].Bytes;
        for (var value = 0; value < 256; value++)
            Assert.False(Judge([.. bytes, (byte)value]));
        Assert.False(Judge([.. bytes, .. bytes]));
    }

    [Theory, MemberData(nameof(Nodes))]
    public void Node_WithAByteLeftOutOrDoubled_IsRefusedOrAnotherCanonicalNode(int index)
    {
        var bytes = Tree.Nodes[index].Bytes;
        for (var position = 0; position < bytes.Length; position++)
        {
            Judge([.. bytes[..position], .. bytes[(position + 1)..]]);
            Judge([.. bytes[..position], bytes[position], .. bytes[position..]]);
        }
    }

    [Theory, MemberData(nameof(Nodes))]
    public void Node_WithTwoEntriesSwapped_IsRefused(int index)
    {
        var node = TreeNode.Decode(Tree.Nodes[index].Bytes);
        for (var i = 1; i < node.Count; i++)
        {
            var pairs = Pairs(node);
            (pairs[i - 1], pairs[i]) = (pairs[i], pairs[i - 1]);
            Assert.False(Judge(NodeBytes.Node(node.Level, pairs)));
        }
    }

    [Fact]
    public void Node_OfRandomBytes_IsRefusedOrCanonical()
    {
        var random = new Random(20_250_101);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            if (bytes.Length > 2)
                (bytes[0], bytes[1], bytes[2]) = (TreeNode.Format, (byte)random.Next(3), (byte)random.Next(4));
            Judge(bytes);
        }
    }

    /// <returns>Whether the bytes were taken for a node. Anything but a refusal or a canonical node fails the test.</returns>
    private static bool Judge(byte[] bytes)
    {
        TreeNode node;
        try
        {
            node = TreeNode.Decode(bytes);
        }
        catch (NotCanonicalException)
        {
            return false;
        }

        Assert.Equal(bytes, NodeBytes.Node(node.Level, Pairs(node)));
        return Check(node, bytes);
    }

    /// <summary>A leaf that passes is the first one a builder makes of its entries, a parent has only children it can have.</summary>
    private static bool Check(TreeNode node, byte[] bytes)
    {
        NodeSummary summary;
        try
        {
            summary = NodeSummary.Check(node, TreeNode.DigestOf(bytes), ChildSummary);
        }
        catch (Exception e) when (e is NotCanonicalException or NodeMissingException)
        {
            return false;
        }

        if (node.IsLeaf)
        {
            var map = new EntryMap();
            foreach (var (key, value) in Pairs(node))
            {
                map[key] = value;
                Assert.Equal(value, Fingerprint.Decode(value).Encode());
            }

            Assert.Equal(bytes, Assert.Single(map.Build().Nodes).Bytes);
            Assert.Equal(map.Count, summary.Entries);
        }

        return true;
    }

    private static NodeSummary ChildSummary(Digest digest)
    {
        var bytes = Tree.Read(digest);
        return NodeSummary.Check(TreeNode.Decode(bytes), digest, ChildSummary);
    }

    private static (byte[] Key, byte[] Value)[] Pairs(TreeNode node) =>
        [.. Enumerable.Range(0, node.Count).Select(i => (node.Key(i).ToArray(), node.Value(i).ToArray()))];

    /// <summary>Small, but of three levels, with every attribute somewhere.</summary>
    private static BuiltTree Sample()
    {
        var map = new EntryMap { [[]] = new Fingerprint { Type = FileType.Directory, Mode = 0x1ed }.Encode() };
        for (var i = 0; i < 12; i++)
            map[Some.Utf8($"etc\0rc{i}.d\0S{i * 7}")] = Some.Value(i);
        foreach (var stretch in new Stretch[] { new(KeyFamily.Bounded, 0, 4, 9, 1), new(KeyFamily.Unbounded, 0, 5, 3, 2) })
            map = map.With(stretch.Edits().Where(edit => edit.Value!.Length < 100));

        map[Some.Utf8("usr\0z")] = new Fingerprint
        {
            State = EntryState.Unstable,
            Type = FileType.Symlink,
            KeyedContent = new KeyedDigest(7, Digest.Of([1])),
            Target = ByteText.Of("../x"),
            Device = 1UL << 32 | 5,
            Xattrs = Digest.Of([2]),
            Version = ByteText.Of("1:2.3-4"),
            Status = ByteText.Of("install ok installed"),
            Value = ByteText.Of("no"),
            KeyedValue = new KeyedDigest(9, Digest.Of([3])),
        }.Encode();
        return map.Build();
    }
}
