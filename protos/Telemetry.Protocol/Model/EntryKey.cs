using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>
/// Names one entry within its kind: components of bytes joined by 0x00. Because 0x00 sorts before every other byte,
/// bytewise order is depth-first directory order. The empty key is the scanned root.
/// </summary>
public readonly struct EntryKey : IEquatable<EntryKey>, IComparable<EntryKey>
{
    /// <summary>Longer keys are not reported as entries but as gaps in coverage.</summary>
    public const int MaxLength = 4096;

    public const byte Separator = 0;

    private readonly byte[]? _bytes;

    public EntryKey(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    private EntryKey(byte[] owned) => _bytes = owned;

    public static EntryKey Root => default;

    public ReadOnlySpan<byte> Bytes => _bytes;

    public int Length => _bytes?.Length ?? 0;

    public bool IsRoot => Length == 0;

    /// <summary>The key of these components, as UTF-8.</summary>
    public static EntryKey Of(params ReadOnlySpan<string> components) =>
        new(Encoding.UTF8.GetBytes(string.Join('\0', components)));

    /// <summary>The key of a path such as <c>/etc/ssh</c>, as UTF-8; leading, trailing and doubled slashes do not count.</summary>
    public static EntryKey OfPath(string path) =>
        Of(path.Split('/', StringSplitOptions.RemoveEmptyEntries));

    public EntryKey Child(ReadOnlySpan<byte> component)
    {
        if (IsRoot)
            return new EntryKey(component);

        var bytes = new byte[Length + 1 + component.Length];
        Bytes.CopyTo(bytes);
        component.CopyTo(bytes.AsSpan(Length + 1));
        return new EntryKey(bytes);
    }

    /// <summary>Whether this key is the prefix or lies below it, in whole components. Everything is under the empty key.</summary>
    public bool IsUnder(EntryKey prefix) => IsUnder(Bytes, prefix.Bytes);

    public static bool IsUnder(ReadOnlySpan<byte> key, ReadOnlySpan<byte> prefix) =>
        prefix.IsEmpty
        || (key.StartsWith(prefix) && (key.Length == prefix.Length || key[prefix.Length] == Separator));

    public int CompareTo(EntryKey other) => Bytes.SequenceCompareTo(other.Bytes);

    public bool Equals(EntryKey other) => Bytes.SequenceEqual(other.Bytes);

    public override bool Equals(object? obj) => obj is EntryKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>For logs and debuggers, where the kind is not at hand: as the key of a file, without the leading slash.</summary>
    public override string ToString() => KeyText.Format(EntryKind.File, Bytes)[1..];

    public static bool operator ==(EntryKey left, EntryKey right) => left.Equals(right);
    public static bool operator !=(EntryKey left, EntryKey right) => !left.Equals(right);
    public static bool operator <(EntryKey left, EntryKey right) => left.CompareTo(right) < 0;
    public static bool operator >(EntryKey left, EntryKey right) => left.CompareTo(right) > 0;
    public static bool operator <=(EntryKey left, EntryKey right) => left.CompareTo(right) <= 0;
    public static bool operator >=(EntryKey left, EntryKey right) => left.CompareTo(right) >= 0;
}
