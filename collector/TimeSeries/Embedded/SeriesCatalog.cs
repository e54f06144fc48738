namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>Which numbers series and fields have in the store. In memory: it grows with how many there are, which has a limit.</summary>
internal sealed class SeriesCatalog(int maxSeries, int maxFields)
{
    private readonly Dictionary<byte[], uint> _series = new(BytesComparer.Instance);
    private readonly Dictionary<byte[], uint> _fields = new(BytesComparer.Instance);
    private readonly Dictionary<uint, long> _lastAt = [];
    private uint _lastSeries, _lastField;

    public int SeriesCount => _series.Count;

    /// <summary>Series and fields that the store does not have yet.</summary>
    public List<(uint Id, byte[] Key)> NewSeries { get; } = [];

    public List<(uint Id, byte[] Name)> NewFields { get; } = [];

    public void Know(uint id, byte[] key, long lastAt)
    {
        _series[key] = id;
        _lastAt[id] = lastAt;
        _lastSeries = Math.Max(_lastSeries, id);
    }

    public void Know(uint id, byte[] name)
    {
        _fields[name] = id;
        _lastField = Math.Max(_lastField, id);
    }

    public void Forget(byte[] key)
    {
        if (_series.Remove(key, out var id))
            _lastAt.Remove(id);
    }

    /// <returns>Null: there are as many as there may be.</returns>
    public uint? SeriesOf(ReadOnlySpan<byte> key) => Of(key, _series, maxSeries, ref _lastSeries, NewSeries);

    /// <inheritdoc cref="SeriesOf"/>
    public uint? FieldOf(ReadOnlySpan<byte> name) => Of(name, _fields, maxFields, ref _lastField, NewFields);

    /// <summary>Notes when a series had a value.</summary>
    /// <returns>Whether that is to be stored: to a day is enough to forget it in time.</returns>
    public bool Seen(uint series, long at)
    {
        if (at < _lastAt.GetValueOrDefault(series) + TimeSpan.MillisecondsPerDay)
            return false;
        _lastAt[series] = at;
        return true;
    }

    /// <summary>The field of that name; null: none has ever had it.</summary>
    public uint? FindField(string name)
    {
        foreach (var (key, id) in _fields)
        {
            if (LineReader.Unescaped(key) == name)
                return id;
        }

        return null;
    }

    /// <summary>Series of a measurement, with their tags.</summary>
    public IEnumerable<(uint Id, Dictionary<string, string> Tags)> Of(string measurement, IReadOnlyList<KeyValuePair<string, string>> where)
    {
        using var lines = new LineProtocol();
        var prefix = lines.Encode(new Protocol.V1.Series { Measurement = measurement })?.Key.ToArray() ?? [];
        foreach (var (key, id) in _series)
        {
            if (!key.AsSpan().StartsWith(prefix) || (key.Length > prefix.Length && key[prefix.Length] != (byte)','))
                continue;
            var (name, tags) = LineReader.Split(key);
            if (name == measurement && where.All(tag => tags.GetValueOrDefault(tag.Key) == tag.Value))
                yield return (id, tags);
        }
    }

    private static uint? Of(ReadOnlySpan<byte> name, Dictionary<byte[], uint> known, int most, ref uint last, List<(uint, byte[])> added)
    {
        var byName = known.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (byName.TryGetValue(name, out var id))
            return id;
        if (known.Count >= most)
            return null;
        id = ++last;
        var copy = name.ToArray();
        known[copy] = id;
        added.Add((id, copy));
        return id;
    }

    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly BytesComparer Instance = new();

        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            // Of one process: peers can't aim at it.
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
