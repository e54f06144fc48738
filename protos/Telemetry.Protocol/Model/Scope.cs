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
    /// <param name="sysctls">Names of kernel parameters.</param>
    public Scope(
        IEnumerable<EntryKey> include, IEnumerable<EntryKey> exclude, IEnumerable<KeyPattern>? parsed = null, IEnumerable<SysctlPattern>? sysctls = null)
    {
        Include = [.. include.Distinct().Order()];
        Exclude = [.. exclude.Distinct().Order()];
        Parsed = [.. (parsed ?? []).Distinct().OrderBy(pattern => pattern.Text, StringComparer.Ordinal)];
        Sysctls = [.. (sysctls ?? []).Distinct().OrderBy(pattern => pattern.Text, StringComparer.Ordinal)];
        _included = new KeyPrefixes(Include);
        _excluded = new KeyPrefixes(Exclude);
        Digest = DigestOf();
    }

    public static Scope Everything { get; } = new([EntryKey.Root], []);

    public ImmutableArray<EntryKey> Include { get; }

    public ImmutableArray<EntryKey> Exclude { get; }

    public ImmutableArray<KeyPattern> Parsed { get; }

    public ImmutableArray<SysctlPattern> Sysctls { get; }

    /// <summary>SHA-256 over the four lists, each key or text behind its length, each list behind its count.</summary>
    public Digest Digest { get; }

    /// <summary>Whether a file was to be looked at.</summary>
    public bool Covers(ReadOnlySpan<byte> key) => _included.Hold(key) && !_excluded.Hold(key);

    public bool Covers(EntryKind kind, ReadOnlySpan<byte> key) => kind switch
    {
        EntryKind.File => Covers(key),
        EntryKind.Setting => CoversSettings(SettingKey.FileOf(key)),
        EntryKind.System when EntryKey.IsUnder(key, Sysctl.Bytes) => CoversSysctl(key),
        _ => true,
    };

    /// <summary>The files that this covers and another does not, as the topmost paths below which there are such.</summary>
    public IEnumerable<EntryKey> FilesBeyond(Scope other)
    {
        // What covers a file changes at these paths and nowhere else.
        EntryKey? last = null;
        foreach (var path in Include.Concat(Exclude).Concat(other.Include).Concat(other.Exclude).Distinct().Order())
        {
            if (!Covers(path.Bytes) || other.Covers(path.Bytes) || (last is { } above && path.IsUnder(above)))
                continue;
            last = path;
            yield return path;
        }
    }

    public bool Equals(Scope? other) => other is not null && Digest == other.Digest;

    public override bool Equals(object? obj) => Equals(obj as Scope);

    public override int GetHashCode() => Digest.GetHashCode();

    private bool CoversSettings(EntryKey file) =>
        Covers(file.Bytes) && Parsed.Any(pattern => pattern.Matches(EntryKind.File, file.Bytes));

    /// <param name="key"><c>sysctl</c>, or below.</param>
    private bool CoversSysctl(ReadOnlySpan<byte> key)
    {
        foreach (var pattern in Sysctls)
        {
            if (key.Length > Sysctl.Length && pattern.Matches(key[(Sysctl.Length + 1)..]))
                return true;
        }

        return false;
    }

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

        foreach (var list in (ReadOnlySpan<IEnumerable<string>>)[Parsed.Select(pattern => pattern.Text), Sysctls.Select(pattern => pattern.Text)])
        {
            writer.Number((ulong)list.Count());
            foreach (var text in list)
                writer.Bytes(Encoding.UTF8.GetBytes(text));
        }

        return Digest.Of(output.WrittenSpan);
    }
}
