namespace Telemetry.Protocol.Model;

/// <summary>Reads what <see cref="CanonicalWriter"/> writes, and nothing else.</summary>
/// <remarks>Every method throws <see cref="NotCanonicalException"/> where the bytes end early or have a shorter form.</remarks>
internal ref struct CanonicalReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position == _bytes.Length;

    public byte Byte()
    {
        if (AtEnd)
            throw new NotCanonicalException("the bytes end early");
        return _bytes[Position++];
    }

    public ulong Number()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var group = Byte();
            if (shift == 63 && group > 1)
                throw new NotCanonicalException("a number has more than 64 bits");

            value |= (ulong)(group & 0x7f) << shift;
            if (group >= 0x80)
                continue;

            if (group == 0 && shift > 0)
                throw new NotCanonicalException("a number has a shorter form");
            return value;
        }
    }

    /// <summary>A number that counts something of which there are at most <paramref name="limit"/>.</summary>
    public int Count(int limit)
    {
        var value = Number();
        return value <= (ulong)limit
            ? (int)value
            : throw new NotCanonicalException($"a length of {value} where {limit} is the limit");
    }

    public ReadOnlySpan<byte> Raw(int length)
    {
        if (length > _bytes.Length - Position)
            throw new NotCanonicalException("the bytes end early");
        var slice = _bytes.Slice(Position, length);
        Position += length;
        return slice;
    }
}
