using System.Buffers.Binary;
using System.Numerics;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>Finds the first of many patterns that matches a key, among those that one of the key's own components leads to.</summary>
/// <remarks>
/// A pattern is found at the end of its literal beginning, and there by the first letters of what follows; one that may begin
/// anywhere, such as <c>/**/.netrc</c>, by the component it begins with. So a key costs its components, however many patterns there
/// are for other ones.
/// </remarks>
internal sealed class PatternIndex
{
    private readonly Places[] _places = [.. Enumerable.Range(0, EntryKinds.All.Max(kind => (int)kind) + 1).Select(_ => new Places())];
    private readonly int _count;

    /// <param name="lists">What is found is a list's index: the least of those with a pattern that matches.</param>
    public PatternIndex(IEnumerable<IEnumerable<KeyPattern>> lists)
    {
        foreach (var list in lists)
        {
            foreach (var pattern in list)
                _places[(int)pattern.Kind].Add(pattern, _count);
            _count++;
        }
    }

    /// <returns>The index, or -1.</returns>
    public int Find(EntryKind kind, ReadOnlySpan<byte> key)
    {
        var first = _places[(int)kind].First(kind, key, _count);
        return first < _count ? first : -1;
    }

    /// <summary>Where the patterns of one kind are found.</summary>
    private sealed class Places
    {
        private readonly List<Place> _everywhere = [];
        private readonly Dictionary<byte[], Branch> _below = new(BytesComparer.Instance);
        private readonly Dictionary<byte[], List<Place>> _anywhere = new(BytesComparer.Instance);

        public void Add(KeyPattern pattern, int index)
        {
            var place = new Place(index, pattern);
            if (pattern.Anywhere is { } component)
            {
                if (!_anywhere.TryGetValue(component, out var places))
                    _anywhere[component] = places = [];
                places.Add(place);
            }
            else if (pattern.Literal.IsRoot)
            {
                _everywhere.Add(place);
            }
            else
            {
                var literal = pattern.Literal.Bytes.ToArray();
                if (!_below.TryGetValue(literal, out var branch))
                    _below[literal] = branch = new Branch();
                branch.Add(place);
            }
        }

        /// <returns>The least index that matches, or as many as there are.</returns>
        public int First(EntryKind kind, ReadOnlySpan<byte> key, int count)
        {
            var below = _below.GetAlternateLookup<ReadOnlySpan<byte>>();
            var anywhere = _anywhere.GetAlternateLookup<ReadOnlySpan<byte>>();
            var first = Place.First(_everywhere, kind, key, count);
            for (var start = 0; start < key.Length;)
            {
                var length = key[start..].IndexOf(EntryKey.Separator);
                var end = length < 0 ? key.Length : start + length;
                if (below.TryGetValue(key[..end], out var branch))
                    first = branch.First(kind, key, end + 1, first);
                if (anywhere.TryGetValue(key[start..end], out var places))
                    first = Place.First(places, kind, key, first);
                start = end + 1;
            }

            return first;
        }
    }

    /// <summary>Patterns with one literal beginning.</summary>
    private sealed class Branch
    {
        // Of the next component, where it begins with that many letters before its first wildcard.
        private const int Head = 4;

        private readonly List<Place> _any = [];
        private readonly Dictionary<uint, List<Place>> _byHead = [];

        public void Add(Place place)
        {
            var head = place.Pattern.Head;
            if (head.Length < Head)
                _any.Add(place);
            else if (_byHead.TryGetValue(NumberOf(head), out var places))
                places.Add(place);
            else
                _byHead[NumberOf(head)] = [place];
        }

        /// <param name="next">Where the next component of the key begins.</param>
        public int First(EntryKind kind, ReadOnlySpan<byte> key, int next, int before)
        {
            var first = Place.First(_any, kind, key, before);
            return _byHead.Count > 0 && next + Head <= key.Length && _byHead.TryGetValue(NumberOf(key[next..]), out var places)
                ? Place.First(places, kind, key, first)
                : first;
        }

        private static uint NumberOf(ReadOnlySpan<byte> head) => BinaryPrimitives.ReadUInt32BigEndian(head);
    }

    /// <summary>One pattern, and the index of its list.</summary>
    private readonly record struct Place(int Index, KeyPattern Pattern)
    {
        /// <param name="places">In the order of their indexes.</param>
        public static int First(List<Place> places, EntryKind kind, ReadOnlySpan<byte> key, int before)
        {
            foreach (var (index, pattern) in places)
            {
                if (index >= before)
                    break;
                if (pattern.Matches(kind, key))
                    return index;
            }

            return before;
        }
    }

    /// <summary>So that a part of a key is looked up without a copy of it.</summary>
    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly BytesComparer Instance = new();

        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);

        public bool Equals(ReadOnlySpan<byte> left, byte[] right) => left.SequenceEqual(right);

        public int GetHashCode(byte[] bytes) => GetHashCode(bytes.AsSpan());

        // Eight letters at a time: every key of a machine is looked up. What stands in the index is the policy's, so nobody can make
        // many of one number.
        public int GetHashCode(ReadOnlySpan<byte> bytes)
        {
            const ulong Odd = 0x9e3779b97f4a7c15;  // 2 to the power of 64 by the golden ratio
            var number = (ulong)bytes.Length;
            for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
                number = (BitOperations.RotateLeft(number, 5) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * Odd;
            foreach (var letter in bytes)
                number = (BitOperations.RotateLeft(number, 5) ^ letter) * Odd;
            return (int)(number >> 32);
        }

        public byte[] Create(ReadOnlySpan<byte> bytes) => bytes.ToArray();
    }
}
