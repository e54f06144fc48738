using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>Writes nodes byte by byte, right and wrong ones. Nothing is checked.</summary>
internal sealed class NodeBytes
{
    private readonly List<byte> _bytes = [];

    public static NodeBytes Of(int level, ulong count, byte format = TreeNode.Format) =>
        new NodeBytes().Raw(format, (byte)level).Number(count);

    /// <summary>A leaf of these keys, front-coded as it should be.</summary>
    public static byte[] Leaf(params byte[][] keys) => Node(0, [.. keys.Select(key => (key, Some.Value()))]);

    /// <summary>A node of these pairs, front-coded as it should be.</summary>
    public static byte[] Node(int level, params (byte[] Key, byte[] Value)[] pairs)
    {
        var node = Of(level, (ulong)pairs.Length);
        byte[] previous = [];
        foreach (var (key, value) in pairs)
        {
            var shared = key.AsSpan().CommonPrefixLength(previous);
            node.Entry((ulong)shared, key[shared..], value, level);
            previous = key;
        }

        return node.ToArray();
    }

    public NodeBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public NodeBytes Number(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            _bytes.Add((byte)(value | 0x80));
        _bytes.Add((byte)value);
        return this;
    }

    public NodeBytes Entry(ulong shared, byte[] rest, byte[] value, int level = 0)
    {
        Number(shared).Number((ulong)rest.Length).Raw(rest);
        if (level == 0)
            Number((ulong)value.Length);
        return Raw(value);
    }

    public byte[] ToArray() => [.. _bytes];
}
