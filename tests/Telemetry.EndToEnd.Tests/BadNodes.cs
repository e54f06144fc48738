using System.Buffers;
using Telemetry.Protocol.Model;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Nodes that no encoder makes, written byte by byte.</summary>
internal static class BadNodes
{
    private static readonly byte[] Value = new Fingerprint { Type = FileType.File, Mode = 0b110_100_100, Uid = 0, Gid = 0 }.Encode();

    public static byte[] Leaf(params string[] keys) => Node(0, [.. keys.Select(key => (0, Text(key), Value))]);

    /// <param name="child">Of every key.</param>
    public static byte[] Interior(byte level, Digest child, params string[] keys) =>
        Node(level, [.. keys.Select(key => (0, Text(key), child.ToArray()))]);

    /// <summary>From the leaf to the root, each but the leaf with the one below it 128 times.</summary>
    public static IReadOnlyList<byte[]> RepeatedChildren(int levels)
    {
        var nodes = new List<byte[]> { Leaf("a") };
        for (byte level = 1; level < levels; level++)
        {
            var child = TreeNode.DigestOf(nodes[^1]).ToArray();
            nodes.Add(Node(level, [.. Enumerable.Range(0, 128).Select(i => (0, Text($"{i:000}"), child))]));
        }

        return nodes;
    }

    /// <summary>A root and what is below it, but for the leaves: 31 MiB that unfold to 60 times as much.</summary>
    public static IReadOnlyList<byte[]> LongKeys()
    {
        var lowest = Enumerable.Range(0, 28 * 128).Select(i => LongKeys(1, Enumerable.Repeat(Digest.Of(BitConverter.GetBytes(i)), 128))).ToList();
        var middle = lowest.Chunk(128).Select(nodes => LongKeys(2, nodes.Select(node => TreeNode.DigestOf(node)))).ToList();
        return [LongKeys(3, middle.Select(node => TreeNode.DigestOf(node))), .. middle, .. lowest];
    }

    /// <summary>Each key repeats nearly all of the one before it.</summary>
    private static byte[] LongKeys(byte level, IEnumerable<Digest> children)
    {
        var first = Enumerable.Repeat((byte)'a', EntryKey.MaxLength - 1).Append((byte)1).ToArray();
        return Node(level, [.. children.Select((child, i) => i == 0 ? (0, first, child.ToArray()) : (EntryKey.MaxLength - 1, [(byte)(i + 1)], child.ToArray()))]);
    }

    private static byte[] Node(byte level, (int Shared, byte[] Suffix, byte[] Value)[] entries)
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write([TreeNode.Format, level]);
        Number(bytes, entries.Length);
        foreach (var (shared, suffix, value) in entries)
        {
            Number(bytes, shared);
            Number(bytes, suffix.Length);
            bytes.Write(suffix);
            if (level == 0)
                Number(bytes, value.Length);
            bytes.Write(value);
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static void Number(ArrayBufferWriter<byte> bytes, int value)
    {
        for (; value >= 0x80; value >>= 7)
            bytes.Write([(byte)(value | 0x80)]);
        bytes.Write([(byte)value]);
    }

    private static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
