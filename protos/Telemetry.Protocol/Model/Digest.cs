using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Telemetry.Protocol.Model;

/// <summary>The 32 bytes of a SHA-256 (FIPS 180-4). Written as 64 lower-case hexadecimal digits.</summary>
public readonly record struct Digest : IComparable<Digest>
{
    public const int Size = 32;

    // Four big-endian words: equality is four comparisons, order is byte order.
    private readonly ulong _a, _b, _c, _d;

    /// <exception cref="ArgumentException">Not exactly 32 bytes.</exception>
    public Digest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
            throw new ArgumentException($"A digest has {Size} bytes, not {bytes.Length}.", nameof(bytes));

        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    public static Digest Of(ReadOnlySpan<byte> content)
    {
        Span<byte> digest = stackalloc byte[Size];
        SHA256.HashData(content, digest);
        return new Digest(digest);
    }

    /// <exception cref="FormatException">Not 64 hexadecimal digits.</exception>
    public static Digest Parse(string hex) =>
        hex.Length == 2 * Size
            ? new Digest(Convert.FromHexString(hex))
            : throw new FormatException($"A digest is written as {2 * Size} hexadecimal digits.");

    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], _d);
    }

    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    public int CompareTo(Digest other) =>
        _a != other._a ? _a.CompareTo(other._a) :
        _b != other._b ? _b.CompareTo(other._b) :
        _c != other._c ? _c.CompareTo(other._c) :
        _d.CompareTo(other._d);

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    public static bool operator <(Digest left, Digest right) => left.CompareTo(right) < 0;
    public static bool operator >(Digest left, Digest right) => left.CompareTo(right) > 0;
    public static bool operator <=(Digest left, Digest right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Digest left, Digest right) => left.CompareTo(right) >= 0;
}
