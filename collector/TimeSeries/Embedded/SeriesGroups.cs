namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>Puts what is kept of many series together as a question groups it: by tags and by steps.</summary>
/// <param name="step">Null: one for all.</param>
internal sealed class SeriesGroups(SeriesQuery query, IReadOnlyDictionary<uint, Dictionary<string, string>> tags, long? step)
{
    private readonly Dictionary<string, Group> _groups = [];
    private readonly Dictionary<uint, Group> _bySeries = [];
    private int _points;

    public void Add(uint series, long at, Bucket bucket)
    {
        if (!_bySeries.TryGetValue(series, out var group))
            _bySeries[series] = group = GroupOf(tags[series]);

        var key = step is { } length ? at - (at % length) : query.From.ToUnixTimeMilliseconds();
        if (!group.Steps.TryGetValue(key, out var known))
        {
            if (++_points > SeriesQuery.MaxPoints)
                throw SeriesQuery.TooMuch();
            group.Steps[key] = (bucket, at);
            return;
        }

        // Series come one after the other: the last value is that of the latest time.
        group.Steps[key] = at >= known.LastAt
            ? (known.Bucket.With(bucket), at)
            : (known.Bucket.With(bucket) with { Last = known.Bucket.Last }, known.LastAt);
    }

    public IReadOnlyList<AnsweredSeries> ToSeries() =>
    [
        .. _groups.OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new AnsweredSeries(
            group.Value.Tags,
            [.. group.Value.Steps.Select(one => new SeriesPoint(DateTimeOffset.FromUnixTimeMilliseconds(one.Key), one.Value.Bucket.Of(query.Aggregate)))])),
    ];

    private Group GroupOf(Dictionary<string, string> of)
    {
        var values = query.By.ToDictionary(tag => tag, tag => of.GetValueOrDefault(tag, ""));
        var key = string.Join('\0', query.By.Select(tag => values[tag]));
        if (_groups.TryGetValue(key, out var group))
            return group;
        if (_groups.Count == SeriesQuery.MaxSeries)
            throw SeriesQuery.TooMuch();
        return _groups[key] = new Group(values);
    }

    private sealed record Group(IReadOnlyDictionary<string, string> Tags)
    {
        public SortedDictionary<long, (Bucket Bucket, long LastAt)> Steps { get; } = [];
    }
}
