using System.Buffers;
using System.Security.Cryptography;

namespace Telemetry.Protocol.Model;

/// <summary>
/// One decoded node. A leaf (level 0) maps keys to encoded fingerprints; an interior node maps the first key of each child
/// to the child's digest.
/// </summary>
/// <remarks>
/// The format: version byte, level byte, number of entries, then for each entry the length of the prefix it shares with the
/// key before it, the rest of the key behind its length, and the value (behind its length in a leaf, 32 bytes otherwise).
/// The digest of a node is SHA-256 of its bytes behind 0x00 (leaf) or 0x01 (interior), as in RFC 6962.
/// </remarks>
public sealed class TreeNode
{
    /// <summary>The first byte of every node. A change of format is a new value, never a silent change.</summary>
    public const byte Format = 1;

    /// <summary>No node is longer, in bytes: 128 values, less than 36 KiB of keys, and their lengths.</summary>
    public const int MaxLength = 128 * (Fingerprint.MaxLength + 8) + Boundary.MaxKeyBytes + EntryKey.MaxLength + 16;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly byte[] _keys;
    private readonly int[] _keyEnds;
    private readonly (int Start, int Length)[] _values;

    private TreeNode(ReadOnlyMemory<byte> bytes, int level, byte[] keys, int[] keyEnds, (int, int)[] values)
    {
        _bytes = bytes;
        Level = level;
        _keys = keys;
        _keyEnds = keyEnds;
        _values = values;
    }

    public int Level { get; }

    public int Count => _keyEnds.Length;

    public bool IsLeaf => Level == 0;

    /// <summary>Length of all keys, before front coding.</summary>
    public int KeyBytes => _keys.Length;

    public ReadOnlySpan<byte> Key(int index)
    {
        var start = index == 0 ? 0 : _keyEnds[index - 1];
        return _keys.AsSpan(start, _keyEnds[index] - start);
    }

    /// <summary>An encoded fingerprint in a leaf, the digest of the child elsewhere.</summary>
    public ReadOnlySpan<byte> Value(int index)
    {
        var (start, length) = _values[index];
        return _bytes.Span.Slice(start, length);
    }

    public Digest Child(int index) => new(Value(index));

    /// <summary>Index of the key, or the complement of the index where it would stand.</summary>
    public int Search(ReadOnlySpan<byte> key)
    {
        var low = 0;
        var high = Count - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = Key(middle).SequenceCompareTo(key);
            if (order == 0)
                return middle;
            if (order < 0)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return ~low;
    }

    /// <summary>Index of the child whose range holds the key; keys before all ranges belong to the first.</summary>
    public int SearchChild(ReadOnlySpan<byte> key)
    {
        var index = Search(key);
        return index >= 0 ? index : Math.Max(~index - 1, 0);
    }

    public static Digest DigestOf(ReadOnlySpan<byte> bytes)
    {
        // In one go: to feed a hash piece by piece costs as much again for the kilobyte that a node has.
        var prefixed = ArrayPool<byte>.Shared.Rent(bytes.Length + 1);
        prefixed[0] = bytes.Length > 1 && bytes[1] == 0 ? (byte)0x00 : (byte)0x01;
        bytes.CopyTo(prefixed.AsSpan(1));
        Span<byte> digest = stackalloc byte[Digest.Size];
        SHA256.HashData(prefixed.AsSpan(0, bytes.Length + 1), digest);
        ArrayPool<byte>.Shared.Return(prefixed);
        return new Digest(digest);
    }

    /// <summary>Decodes one node and checks its form. What depends on other nodes is checked by <see cref="NodeSummary"/>.</summary>
    /// <exception cref="NotCanonicalException">Other bytes than the encoder makes for the same entries.</exception>
    public static TreeNode Decode(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > MaxLength)
            throw new NotCanonicalException($"a node of {bytes.Length} bytes");

        var reader = new CanonicalReader(bytes.Span);
        var format = reader.Byte();
        if (format != Format)
            throw new NotCanonicalException($"node format {format}, this version reads {Format}");

        var level = reader.Byte();
        if (level > Boundary.MaxLevel)
            throw new NotCanonicalException($"level {level}");

        var count = reader.Count(Boundary.MaxEntries);
        if (count == 0 && level > 0)
            throw new NotCanonicalException("an interior node without children");

        var keys = new KeyRun(count, bytes.Length);
        var values = new (int, int)[count];
        for (var i = 0; i < count; i++)
        {
            keys.Read(ref reader, i);
            var length = level == 0 ? reader.Count(Fingerprint.MaxLength) : Digest.Size;
            values[i] = (reader.Position, length);
            reader.Raw(length);
        }

        return reader.AtEnd
            ? new TreeNode(bytes, level, keys.Bytes.ToArray(), keys.Ends, values)
            : throw new NotCanonicalException("bytes after the last entry");
    }

    /// <summary>The front-coded keys of one node, unfolded.</summary>
    private ref struct KeyRun(int count, int estimate)
    {
        private byte[] _bytes = new byte[estimate];
        private int _start, _end;

        public int[] Ends { get; } = new int[count];

        public readonly ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _end);

        public void Read(ref CanonicalReader reader, int index)
        {
            var previous = _end - _start;
            var shared = reader.Count(EntryKey.MaxLength);
            var suffix = reader.Raw(reader.Count(EntryKey.MaxLength));
            var length = shared + suffix.Length;

            // Front coding can unfold to a hundred times as much.
            if (Boundary.IsForced(index, _end))
                throw new NotCanonicalException("more keys than a node holds");
            if (shared > previous || length > EntryKey.MaxLength)
                throw new NotCanonicalException("a key that is too long");
            if (index > 0 && (suffix.IsEmpty || (shared < previous && suffix[0] <= _bytes[_start + shared])))
                throw new NotCanonicalException("keys out of order, or coded at greater length than needed");

            if (_end + length > _bytes.Length)
                Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _end + length));
            _bytes.AsSpan(_start, shared).CopyTo(_bytes.AsSpan(_end));
            suffix.CopyTo(_bytes.AsSpan(_end + shared));
            _start = _end;
            _end += length;
            Ends[index] = _end;
        }
    }
}
