namespace Telemetry.Agent.Linux;

/// <summary>Names in rising order, read forward once.</summary>
internal interface INames
{
    /// <summary>With its closing 0x00; the memory is not changed again.</summary>
    ReadOnlyMemory<byte> Current { get; }

    bool MoveNext();
}

/// <summary>Names in memory, gathered and then sorted.</summary>
internal sealed class NameRun : INames
{
    // Some 100,000 names as they usually are.
    private const int Capacity = 2 * 1024 * 1024;

    private byte[] _bytes = new byte[512];
    private int[] _starts = new int[16];
    private int _end, _count;
    private int _index = -1;

    public bool IsFull => _end >= Capacity;

    public ReadOnlyMemory<byte> Current => _bytes.AsMemory(_starts[_index], NameAt(_bytes, _starts[_index]).Length + 1);

    /// <param name="name">With its closing 0x00.</param>
    public void Add(ReadOnlySpan<byte> name)
    {
        if (_end + name.Length > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _end + name.Length));
        if (_count == _starts.Length)
            Array.Resize(ref _starts, 2 * _starts.Length);
        name.CopyTo(_bytes.AsSpan(_end));
        _starts[_count++] = _end;
        _end += name.Length;
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
        var tail = bytes.AsSpan(start);
        return tail[..tail.IndexOf((byte)0)];
    }
}
