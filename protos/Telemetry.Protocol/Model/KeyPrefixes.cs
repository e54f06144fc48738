using System.Collections.Immutable;

namespace Telemetry.Protocol.Model;

/// <summary>Answers whether a key lies at or below any of many prefixes, in logarithmic time.</summary>
internal readonly struct KeyPrefixes
{
    private readonly ImmutableArray<EntryKey> _prefixes;

    public KeyPrefixes(IEnumerable<EntryKey> prefixes)
    {
        // What lies below another prefix adds nothing; without it, the last prefix before a key is the only candidate.
        var outermost = ImmutableArray.CreateBuilder<EntryKey>();
        foreach (var prefix in prefixes.Order())
        {
            if (outermost.Count == 0 || !prefix.IsUnder(outermost[^1]))
                outermost.Add(prefix);
        }

        _prefixes = outermost.ToImmutable();
    }

    public bool Hold(ReadOnlySpan<byte> key)
    {
        var low = 0;
        var high = _prefixes.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_prefixes[middle].Bytes.SequenceCompareTo(key) <= 0)
                low = middle + 1;
            else
                high = middle;
        }

        return low > 0 && EntryKey.IsUnder(key, _prefixes[low - 1].Bytes);
    }
}
