namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>One value that is not in a chunk yet.</summary>
internal readonly record struct Sample(uint Series, uint Field, long Time, double Value);

/// <summary>Values that are not in chunks yet, in the order they came.</summary>
internal sealed class Head
{
    private readonly Dictionary<uint, List<Sample>> _bySeries = [];

    public int Count { get; private set; }

    public IEnumerable<uint> Series => _bySeries.Keys;

    public IReadOnlyList<Sample> Of(uint series) => _bySeries.TryGetValue(series, out var samples) ? samples : [];

    public void Add(List<Sample> samples)
    {
        foreach (var sample in samples)
        {
            if (!_bySeries.TryGetValue(sample.Series, out var list))
                _bySeries[sample.Series] = list = [];
            list.Add(sample);
        }

        Count += samples.Count;
    }

    public void Clear()
    {
        _bySeries.Clear();
        Count = 0;
    }
}
