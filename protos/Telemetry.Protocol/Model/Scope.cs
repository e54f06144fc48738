using System.Buffers;
using System.Collections.Immutable;

namespace Telemetry.Protocol.Model;

/// <summary>What a scan of files was meant to look at: prefixes of whole components. An exclusion wins.</summary>
public sealed class Scope : IEquatable<Scope>
{
    private readonly KeyPrefixes _included, _excluded;

    public Scope(IEnumerable<EntryKey> include, IEnumerable<EntryKey> exclude)
    {
        Include = [.. include.Distinct().Order()];
        Exclude = [.. exclude.Distinct().Order()];
        _included = new KeyPrefixes(Include);
        _excluded = new KeyPrefixes(Exclude);
        Digest = DigestOf();
    }

    public static Scope Everything { get; } = new([EntryKey.Root], []);

    public ImmutableArray<EntryKey> Include { get; }

    public ImmutableArray<EntryKey> Exclude { get; }

    /// <summary>SHA-256 over both lists, each key behind its length, each list behind its count.</summary>
    public Digest Digest { get; }

    public bool Covers(ReadOnlySpan<byte> key) => _included.Hold(key) && !_excluded.Hold(key);

    public bool Equals(Scope? other) => other is not null && Digest == other.Digest;

    public override bool Equals(object? obj) => Equals(obj as Scope);

    public override int GetHashCode() => Digest.GetHashCode();

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

        return Digest.Of(output.WrittenSpan);
    }
}
