using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>Finds the first rule that matches a key, among those that one of the key's own components leads to.</summary>
/// <remarks>
/// A pattern is found at the end of its literal beginning; one that may begin anywhere, such as <c>/**/.netrc</c>, by the component
/// it begins with. So a key costs its components, however many rules there are for other ones.
/// </remarks>
internal sealed class RuleIndex
{
    private readonly ImmutableArray<PolicyRule> _rules;
    private readonly Places[] _places = [.. Enumerable.Range(0, EntryKinds.All.Max(kind => (int)kind) + 1).Select(_ => new Places())];

    public RuleIndex(ImmutableArray<PolicyRule> rules)
    {
        _rules = rules;
        for (var i = 0; i < rules.Length; i++)
        {
            foreach (var pattern in rules[i].Match)
                _places[(int)pattern.Kind].Add(pattern, i);
        }
    }

    public PolicyRule? Find(EntryKind kind, ReadOnlySpan<byte> key) =>
        _places[(int)kind].First(kind, key, _rules.Length) is var first && first < _rules.Length ? _rules[first] : null;

    /// <summary>Where the patterns of one kind are found.</summary>
    private sealed class Places
    {
        private readonly List<Place> _everywhere = [];
        private readonly Dictionary<byte[], List<Place>> _below = new(BytesComparer.Instance), _anywhere = new(BytesComparer.Instance);

        public void Add(KeyPattern pattern, int rule)
        {
            var places = pattern.Anywhere is { } component ? ListOf(_anywhere, component)
                : pattern.Literal.IsRoot ? _everywhere
                : ListOf(_below, pattern.Literal.Bytes.ToArray());
            places.Add(new Place(rule, pattern));
        }

        /// <returns>The least rule that matches, or as many as there are.</returns>
        public int First(EntryKind kind, ReadOnlySpan<byte> key, int count)
        {
            var below = _below.GetAlternateLookup<ReadOnlySpan<byte>>();
            var anywhere = _anywhere.GetAlternateLookup<ReadOnlySpan<byte>>();
            var first = First(_everywhere, kind, key, count);
            for (var start = 0; start < key.Length;)
            {
                var length = key[start..].IndexOf(EntryKey.Separator);
                var end = length < 0 ? key.Length : start + length;
                if (below.TryGetValue(key[..end], out var places))
                    first = First(places, kind, key, first);
                if (anywhere.TryGetValue(key[start..end], out places))
                    first = First(places, kind, key, first);
                start = end + 1;
            }

            return first;
        }

        /// <summary>They are in the order of their rules.</summary>
        private static int First(List<Place> places, EntryKind kind, ReadOnlySpan<byte> key, int before)
        {
            foreach (var (rule, pattern) in places)
            {
                if (rule >= before)
                    break;
                if (pattern.Matches(kind, key))
                    return rule;
            }

            return before;
        }

        private static List<Place> ListOf(Dictionary<byte[], List<Place>> places, byte[] key) =>
            places.TryGetValue(key, out var list) ? list : places[key] = [];
    }

    private readonly record struct Place(int Rule, KeyPattern Pattern);

    /// <summary>So that a part of a key is looked up without a copy of it.</summary>
    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly BytesComparer Instance = new();

        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);

        public bool Equals(ReadOnlySpan<byte> left, byte[] right) => left.SequenceEqual(right);

        public int GetHashCode(byte[] bytes) => GetHashCode(bytes.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> bytes)
        {
            var hash = new HashCode();
            hash.AddBytes(bytes);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> bytes) => bytes.ToArray();
    }
}
