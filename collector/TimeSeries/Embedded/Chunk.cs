using System.Buffers.Binary;

namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>The steps of one series in one chunk of time, by field.</summary>
/// <remarks>
/// Encoded: a version byte, then each field as its number, the length of what follows, and its columns. A column begins with which
/// steps have values; then counts, sums, least, greatest and last values. Each value is told by how it differs, bit by bit, from the
/// one that is expected: the one before it, or for what makes a step what follows from its least value. So what stands still costs
/// a byte for up to 127 steps, and a counter two or three bytes each.
/// </remarks>
internal sealed class Chunk(int steps)
{
    private const byte Version = 1;
    private const byte Repeat = 0x80;
    private const int MostRepeats = 0x7f;

    private readonly SortedDictionary<uint, Bucket[]> _fields = [];

    /// <exception cref="InvalidDataException">It is none.</exception>
    public static Chunk Decode(ReadOnlySpan<byte> body, int steps, uint? onlyField = null)
    {
        var chunk = new Chunk(steps);
        var reader = new Reader(body);
        if (reader.Byte() != Version)
            throw new InvalidDataException("a chunk of another version");
        while (!reader.IsAtEnd)
        {
            var field = (uint)reader.Number();
            var columns = reader.Part((int)Math.Min(reader.Number(), int.MaxValue));
            if (onlyField is null || onlyField == field)
                chunk._fields[field] = Columns(new Reader(columns), steps);
        }

        return chunk;
    }

    /// <summary>Its steps; empty ones have no values.</summary>
    public ReadOnlySpan<Bucket> this[uint field] => _fields.GetValueOrDefault(field);

    public void Add(uint field, int step, Bucket later)
    {
        if (!_fields.TryGetValue(field, out var buckets))
            _fields[field] = buckets = new Bucket[steps];
        buckets[step] = buckets[step].With(later);
    }

    public void Encode(ChunkWriter writer)
    {
        writer.Byte(Version);
        foreach (var (field, buckets) in _fields)
        {
            writer.Number(field);
            var columns = writer.Begin();
            Encode(buckets, writer);
            writer.End(columns);
        }
    }

    private static void Encode(Bucket[] buckets, ChunkWriter writer)
    {
        for (var step = 0; step < buckets.Length; step += 8)
        {
            var bits = 0;
            for (var i = step; i < Math.Min(step + 8, buckets.Length); i++)
                bits |= buckets[i].IsEmpty ? 0 : 1 << (i - step);
            writer.Byte((byte)bits);
        }

        var isSingle = Array.TrueForAll(buckets, bucket => bucket.Count <= 1);
        writer.Byte(isSingle ? (byte)1 : (byte)0);
        Column(buckets, writer, static (bucket, before) => (Bits(bucket.Min), Bits(before.Min)));
        if (isSingle)
            return;
        Column(buckets, writer, static (bucket, before) => ((ulong)bucket.Count, (ulong)before.Count));
        Column(buckets, writer, static (bucket, _) => (Bits(bucket.Max), Bits(bucket.Min)));
        Column(buckets, writer, static (bucket, _) => (Bits(bucket.Sum), Bits(bucket.Min * bucket.Count)));
        Column(buckets, writer, static (bucket, _) => (Bits(bucket.Last), Bits(bucket.Min)));
    }

    private static void Column(Bucket[] buckets, ChunkWriter writer, Func<Bucket, Bucket, (ulong Value, ulong Expected)> of)
    {
        var before = default(Bucket);
        var repeats = 0;
        foreach (var bucket in buckets)
        {
            if (bucket.IsEmpty)
                continue;
            var (value, expected) = of(bucket, before);
            before = bucket;
            var difference = value ^ expected;
            if (difference == 0)
            {
                if (++repeats == MostRepeats)
                    EndRepeats();
                continue;
            }

            EndRepeats();
            writer.Difference(difference);
        }

        EndRepeats();

        void EndRepeats()
        {
            if (repeats > 0)
                writer.Byte((byte)(Repeat | repeats));
            repeats = 0;
        }
    }

    private static Bucket[] Columns(Reader reader, int steps)
    {
        var buckets = new Bucket[steps];
        for (var step = 0; step < steps; step += 8)
        {
            var bits = reader.Byte();
            for (var i = step; i < Math.Min(step + 8, steps); i++)
                buckets[i] = (bits & (1 << (i - step))) == 0 ? default : new Bucket(1, 0, 0, 0, 0);
        }

        var isSingle = reader.Byte() == 1;
        var (before, repeats) = (0ul, 0);
        foreach (ref var bucket in buckets.AsSpan())
        {
            if (bucket.IsEmpty)
                continue;
            before = reader.Value(before, ref repeats);
            bucket = Bucket.Of(BitConverter.UInt64BitsToDouble(before));
        }

        if (isSingle)
            return buckets;

        (before, repeats) = (0ul, 0);
        foreach (ref var bucket in buckets.AsSpan())
        {
            if (!bucket.IsEmpty)
                bucket = bucket with { Count = (long)(before = reader.Value(before, ref repeats)) };
        }

        repeats = 0;
        foreach (ref var bucket in buckets.AsSpan())
        {
            if (!bucket.IsEmpty)
                bucket = bucket with { Max = BitConverter.UInt64BitsToDouble(reader.Value(Bits(bucket.Min), ref repeats)) };
        }

        repeats = 0;
        foreach (ref var bucket in buckets.AsSpan())
        {
            if (!bucket.IsEmpty)
                bucket = bucket with { Sum = BitConverter.UInt64BitsToDouble(reader.Value(Bits(bucket.Min * bucket.Count), ref repeats)) };
        }

        repeats = 0;
        foreach (ref var bucket in buckets.AsSpan())
        {
            if (!bucket.IsEmpty)
                bucket = bucket with { Last = BitConverter.UInt64BitsToDouble(reader.Value(Bits(bucket.Min), ref repeats)) };
        }

        return buckets;
    }

    private static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    private ref struct Reader(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public readonly bool IsAtEnd => _rest.IsEmpty;

        public byte Byte() => Part(1)[0];

        public ReadOnlySpan<byte> Part(int length)
        {
            if (length > _rest.Length)
                throw new InvalidDataException("a chunk that is cut off");
            var part = _rest[..length];
            _rest = _rest[length..];
            return part;
        }

        public ulong Number()
        {
            var (number, shift) = (0ul, 0);
            for (var next = Byte(); ; next = Byte())
            {
                number |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                    return number;
                if ((shift += 7) > 63)
                    throw new InvalidDataException("a number that never ends");
            }
        }

        public ulong Value(ulong expected, ref int repeats)
        {
            if (repeats > 0)
            {
                repeats--;
                return expected;
            }

            var head = Byte();
            if ((head & Repeat) != 0)
            {
                repeats = (head & MostRepeats) - 1;
                return expected;
            }

            Span<byte> bytes = stackalloc byte[8];
            bytes.Clear();
            var (first, length) = (head >> 4, head & 0x0f);
            if (first + length > 8)
                throw new InvalidDataException("a value of more than 8 bytes");
            Part(length).CopyTo(bytes[first..]);
            return expected ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }
    }
}
