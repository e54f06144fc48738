namespace Telemetry.Agent.Linux;

/// <summary>Names in rising order, read forward once.</summary>
internal interface INames
{
    /// <summary>The type in one byte, marked so that it is never zero, the name, 0x00. The memory is not changed again.</summary>
    ReadOnlyMemory<byte> Record { get; }

    bool MoveNext();
}

/// <summary>What a directory says of a name: d_type of getdents64(2).</summary>
internal enum NameType : byte
{
    /// <summary>The filesystem does not say.</summary>
    Unknown = 0,
    Directory = 4,
    File = 8,
}

/// <summary>Names in memory, gathered and then sorted.</summary>
internal sealed class NameRun : INames
{
    public const byte TypeMark = 0x80;

    // Some 100,000 names as they usually are.
    private const int Capacity = 2 * 1024 * 1024;

    private byte[] _bytes = new byte[512];
    private int[] _starts = new int[16];
    private int _end, _count;
    private int _index = -1;

    public bool IsFull => _end >= Capacity;

    public ReadOnlyMemory<byte> Record => _bytes.AsMemory(_starts[_index], NameAt(_bytes, _starts[_index]).Length + 2);

    /// <param name="name">With its closing 0x00.</param>
    public void Add(NameType type, ReadOnlySpan<byte> name)
    {
        var end = _end + 1 + name.Length;
        if (end > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, end));
        if (_count == _starts.Length)
            Array.Resize(ref _starts, 2 * _starts.Length);
        _bytes[_end] = (byte)((byte)type | TypeMark);
        name.CopyTo(_bytes.AsSpan(_end + 1));
        _starts[_count++] = _end;
        _end = end;
    }

    public NameRun Sorted()
    {
        var bytes = _bytes;
        _starts.AsSpan(0, _count).Sort((left, right) => NameAt(bytes, left).SequenceCompareTo(NameAt(bytes, right)));
        return this;
    }

    public bool MoveNext() => ++_index < _count;

    public void Rewind() => _index = -1;

    private static ReadOnlySpan<byte> NameAt(byte[] bytes, int start)
    {
        var tail = bytes.AsSpan(start + 1);
        return tail[..tail.IndexOf((byte)0)];
    }
}
