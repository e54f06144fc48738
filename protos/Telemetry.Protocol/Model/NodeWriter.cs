using System.Buffers;

namespace Telemetry.Protocol.Model;

/// <summary>Collects the entries of one level between two cuts and encodes them: the only encoder of nodes.</summary>
internal sealed class NodeWriter(int level)
{
    private readonly ArrayBufferWriter<byte> _entries = new(1024);
    private readonly byte[] _firstKey = new byte[EntryKey.MaxLength];
    private readonly byte[] _lastKey = new byte[EntryKey.MaxLength];
    private int _firstLength, _lastLength, _keyBytes;
    private bool _hasLast;

    public int Count { get; private set; }

    /// <summary>A cut falls after the last entry added.</summary>
    public bool IsClosed { get; private set; }

    /// <param name="key">Greater than the key before it, whichever node that went into.</param>
    /// <param name="value">An encoded fingerprint on level 0, a digest above.</param>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.Length > EntryKey.MaxLength)
            throw new ArgumentException($"A key of {key.Length} bytes; {EntryKey.MaxLength} is the limit.", nameof(key));
        if (level == 0 && value.Length > Fingerprint.MaxLength)
            throw new ArgumentException($"A fingerprint of {value.Length} bytes; {Fingerprint.MaxLength} is the limit.", nameof(value));

        var last = _lastKey.AsSpan(0, _lastLength);
        if (_hasLast && key.SequenceCompareTo(last) <= 0)
            throw new ArgumentException($"Keys out of order: {KeyText.Format(EntryKind.File, key)} after {KeyText.Format(EntryKind.File, last)}.", nameof(key));

        var shared = Count == 0 ? 0 : key.CommonPrefixLength(last);
        var writer = new CanonicalWriter(_entries);
        writer.Number((ulong)shared);
        writer.Bytes(key[shared..]);
        if (level == 0)
            writer.Bytes(value);
        else
            writer.Raw(value);

        if (Count == 0)
        {
            key.CopyTo(_firstKey);
            _firstLength = key.Length;
        }

        key.CopyTo(_lastKey);
        _lastLength = key.Length;
        _hasLast = true;
        _keyBytes += key.Length;
        Count++;
        IsClosed = Boundary.IsForced(Count, _keyBytes) || Boundary.IsNatural(key, level);
    }

    /// <summary>Ends the node and begins the next run.</summary>
    public EncodedNode Complete()
    {
        var output = new ArrayBufferWriter<byte>(_entries.WrittenCount + 4);
        var writer = new CanonicalWriter(output);
        writer.Byte(TreeNode.Format);
        writer.Byte((byte)level);
        writer.Number((ulong)Count);
        writer.Raw(_entries.WrittenSpan);
        var bytes = output.WrittenSpan.ToArray();
        var node = new EncodedNode(TreeNode.DigestOf(bytes), level, Count, _firstKey.AsSpan(0, _firstLength).ToArray(), bytes);

        _entries.ResetWrittenCount();
        _keyBytes = 0;
        Count = 0;
        IsClosed = false;
        return node;
    }
}
