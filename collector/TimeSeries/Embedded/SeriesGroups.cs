namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>Puts what is kept of many series together as a question groups it: by tags and by steps, and across series if it asks for that.</summary>
/// <param name="step">Null: one for all.</param>
internal sealed class SeriesGroups(SeriesQuery query, IReadOnlyDictionary<uint, Dictionary<string, string>> tags, long? step)
{
    private readonly Dictionary<string, Group> _groups = [];
    private readonly Dictionary<uint, Part> _bySeries = [];
    private readonly int _maxPoints = query.Across is null ? SeriesQuery.MaxPoints : SeriesQuery.MaxPointsAcross;
    private int _points;

    public void Add(uint series, long at, Bucket bucket)
    {
        if (!_bySeries.TryGetValue(series, out var part))
            _bySeries[series] = part = PartOf(GroupOf(tags[series]));

        var key = step is { } length ? at - (at % length) : query.From.ToUnixTimeMilliseconds();
        if (!part.Steps.TryGetValue(key, out var known))
        {
            if (++_points > _maxPoints)
                throw SeriesQuery.TooMuch();
            part.Steps[key] = (bucket, at);
            return;
        }

        // Series come one after the other: the last value is that of the latest time.
        part.Steps[key] = at >= known.LastAt
            ? (known.Bucket.With(bucket), at)
            : (known.Bucket.With(bucket) with { Last = known.Bucket.Last }, known.LastAt);
    }

    public IReadOnlyList<AnsweredSeries> ToSeries() =>
    [
        .. _groups.OrderBy(group => group.Key, StringComparer.Ordinal).Select(group => new AnsweredSeries(
            group.Value.Tags,
            [.. PointsOf(group.Value).Select(one => new SeriesPoint(DateTimeOffset.FromUnixTimeMilliseconds(one.Key), one.Value))])),
    ];

    private IEnumerable<KeyValuePair<long, double>> PointsOf(Group group)
    {
        var values = group.Parts.SelectMany(part => part.Steps.Select(step => KeyValuePair.Create(step.Key, step.Value.Bucket.Of(query.Aggregate))));
        if (query.Across is not { } across)
            return values;

        var steps = new SortedDictionary<long, Bucket>();
        foreach (var (at, value) in values)
            steps[at] = steps.GetValueOrDefault(at).With(Bucket.Of(value));
        return steps.Count <= SeriesQuery.MaxPoints ? steps.Select(step => KeyValuePair.Create(step.Key, step.Value.Of(across))) : throw SeriesQuery.TooMuch();
    }

    /// <summary>Of what is asked for across series each is a part of its own; else there is one.</summary>
    private Part PartOf(Group group)
    {
        if (query.Across is not null || group.Parts.Count == 0)
            group.Parts.Add(new Part());
        return group.Parts[^1];
    }

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
        public List<Part> Parts { get; } = [];
    }

    private sealed class Part
    {
        public SortedDictionary<long, (Bucket Bucket, long LastAt)> Steps { get; } = [];
    }
}
