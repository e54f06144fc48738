namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>Which numbers series and fields have in the store. In memory: how many there may be is <see cref="SeriesGuard"/>'s to say.</summary>
internal sealed class SeriesCatalog
{
    public NameNumbers Series { get; } = new();

    public NameNumbers Fields { get; } = new();

    /// <summary>The field of that name; null: none has ever had it.</summary>
    public uint? FindField(string name)
    {
        foreach (var (key, id) in Fields.All)
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
        foreach (var (key, id) in Series.All)
        {
            if (!key.AsSpan().StartsWith(prefix) || (key.Length > prefix.Length && key[prefix.Length] != (byte)','))
                continue;
            var (name, tags) = LineReader.Split(key);
            if (name == measurement && where.All(tag => tags.GetValueOrDefault(tag.Key) == tag.Value))
                yield return (id, tags);
        }
    }
}
