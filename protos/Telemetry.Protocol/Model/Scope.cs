using System.Buffers;
using System.Collections.Immutable;
using System.Text;

namespace Telemetry.Protocol.Model;

/// <summary>
/// What a scan was meant to look at. Of files: prefixes of whole components, an exclusion wins. Of settings: those of the files
/// that are parsed. Of kernel parameters: those that are named.
/// </summary>
public sealed class Scope : IEquatable<Scope>
{
    private static readonly EntryKey Sysctl = EntryKey.Of("sysctl");

    private readonly KeyPrefixes _included, _excluded;

    /// <param name="parsed">Patterns of files.</param>
    /// <param name="sysctls">Patterns of system facts.</param>
    public Scope(
        IEnumerable<EntryKey> include, IEnumerable<EntryKey> exclude, IEnumerable<KeyPattern>? parsed = null, IEnumerable<KeyPattern>? sysctls = null)
    {
        Include = [.. include.Distinct().Order()];
        Exclude = [.. exclude.Distinct().Order()];
        Parsed = Sorted(parsed);
        Sysctls = Sorted(sysctls);
        _included = new KeyPrefixes(Include);
        _excluded = new KeyPrefixes(Exclude);
        Digest = DigestOf();
    }

    public static Scope Everything { get; } = new([EntryKey.Root], []);

    public ImmutableArray<EntryKey> Include { get; }

    public ImmutableArray<EntryKey> Exclude { get; }

    public ImmutableArray<KeyPattern> Parsed { get; }

    public ImmutableArray<KeyPattern> Sysctls { get; }

    /// <summary>SHA-256 over the four lists, each key or text behind its length, each list behind its count.</summary>
    public Digest Digest { get; }

    /// <summary>Whether a file was to be looked at.</summary>
    public bool Covers(ReadOnlySpan<byte> key) => _included.Hold(key) && !_excluded.Hold(key);

    public bool Covers(EntryKind kind, ReadOnlySpan<byte> key) => kind switch
    {
        EntryKind.File => Covers(key),
        EntryKind.Setting => CoversSettings(key),
        EntryKind.System when EntryKey.IsUnder(key, Sysctl.Bytes) => Any(Sysctls, kind, key),
        _ => true,
    };

    public bool Equals(Scope? other) => other is not null && Digest == other.Digest;

    public override bool Equals(object? obj) => Equals(obj as Scope);

    public override int GetHashCode() => Digest.GetHashCode();

    /// <summary>A setting's first component is the path of its file.</summary>
    private bool CoversSettings(ReadOnlySpan<byte> key)
    {
        var end = key.IndexOf(EntryKey.Separator);
        var file = (end < 0 ? key : key[..end]).ToArray();
        file.AsSpan().Replace((byte)'/', EntryKey.Separator);
        return Covers(file) && Any(Parsed, EntryKind.File, file);
    }

    private static bool Any(ImmutableArray<KeyPattern> patterns, EntryKind kind, ReadOnlySpan<byte> key)
    {
        foreach (var pattern in patterns)
        {
            if (pattern.Matches(kind, key))
                return true;
        }

        return false;
    }

    private static ImmutableArray<KeyPattern> Sorted(IEnumerable<KeyPattern>? patterns) =>
        [.. (patterns ?? []).Distinct().OrderBy(pattern => pattern.Text, StringComparer.Ordinal)];

    private Digest DigestOf()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new CanonicalWriter(output);
        foreach (var list in (ReadOnlySpan<ImmutableArray<EntryKey>>)[Include, Exclude])
        {
            writer.Number((ulong)list.Length);
            foreach (var key in list)
                writer.Bytes(key.Bytes);
        }

        foreach (var list in (ReadOnlySpan<ImmutableArray<KeyPattern>>)[Parsed, Sysctls])
        {
            writer.Number((ulong)list.Length);
            foreach (var pattern in list)
                writer.Bytes(Encoding.UTF8.GetBytes(pattern.Text));
        }

        return Digest.Of(output.WrittenSpan);
    }
}
