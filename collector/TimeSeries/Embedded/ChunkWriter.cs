using System.Buffers.Binary;

namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>A buffer that chunks are encoded into, one after the other.</summary>
internal sealed class ChunkWriter
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _length;

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public void Byte(byte value)
    {
        if (_length == _buffer.Length)
            Array.Resize(ref _buffer, 2 * _length);
        _buffer[_length++] = value;
    }

    public void Number(ulong number)
    {
        for (; number >= 0x80; number >>= 7)
            Byte((byte)(number | 0x80));
        Byte((byte)number);
    }

    /// <summary>Its bytes without the zeros at both ends: where they begin, and how many they are, in one byte before them.</summary>
    public void Difference(ulong difference)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, difference);
        var first = bytes.IndexOfAnyExcept((byte)0);
        var last = bytes.LastIndexOfAnyExcept((byte)0);
        Byte((byte)((first << 4) | (last - first + 1)));
        foreach (var value in bytes[first..(last + 1)])
            Byte(value);
    }

    /// <summary>Leaves room for the length of what follows.</summary>
    public int Begin()
    {
        for (var i = 0; i < 3; i++)
            Byte(0);
        return _length;
    }

    public void End(int begin)
    {
        // Three bytes of seven bits: a field has at most some kilobytes.
        var length = _length - begin;
        _buffer[begin - 3] = (byte)((length & 0x7f) | 0x80);
        _buffer[begin - 2] = (byte)(((length >> 7) & 0x7f) | 0x80);
        _buffer[begin - 1] = (byte)(length >> 14);
    }
}
