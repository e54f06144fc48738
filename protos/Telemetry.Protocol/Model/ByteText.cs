using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>A short immutable byte string, compared by content. Shown escaped, never raw.</summary>
public readonly struct ByteText(ReadOnlySpan<byte> bytes) : IEquatable<ByteText>
{
    private readonly byte[]? _bytes = bytes.ToArray();

    public ReadOnlySpan<byte> Bytes => _bytes;

    public static ByteText Of(string text) => new(Encoding.UTF8.GetBytes(text));

    public bool Equals(ByteText other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is ByteText other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    public override string ToString() => EscapedText.Of(Bytes);

    public static bool operator ==(ByteText left, ByteText right) => left.Equals(right);
    public static bool operator !=(ByteText left, ByteText right) => !left.Equals(right);
}
