using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>The series that one stream has named, as they stand in each of their lines.</summary>
internal sealed class SeriesNames
{
    private const int MaxSeries = 10_000;
    private const int MaxFields = 1_000;

    /// <summary>Of all names of a stream: far more than any agent has.</summary>
    private const int MaxBytes = 1024 * 1024;

    private readonly Dictionary<uint, EncodedSeries?> _series = [];
    private int _bytes;

    /// <exception cref="BadMessageException">More than a stream may name.</exception>
    public void Name(Series series)
    {
        _bytes += series.CalculateSize();
        if (_bytes > MaxBytes || series.FloatFields.Count + series.IntFields.Count > MaxFields || (_series.Count == MaxSeries && !_series.ContainsKey(series.Id)))
            throw new BadMessageException($"more names than a stream may have: {MaxSeries} series, {MaxFields} fields in each, {MaxBytes / 1024} KiB in all");

        using var names = new LineProtocol();
        _series[series.Id] = names.Encode(series);
    }

    /// <returns>Null when no server would take a point of that name.</returns>
    /// <exception cref="BadMessageException">No such series, or not a value for each of its fields.</exception>
    public EncodedSeries? Of(SeriesRow row)
    {
        if (!_series.TryGetValue(row.Series, out var series))
            throw new BadMessageException($"a point of series {row.Series}, which was not named");
        if (series is not null && (series.FloatFields.Length != row.FloatValues.Count || series.IntFields.Length != row.IntValues.Count))
            throw new BadMessageException($"a point of series {row.Series} without a value for each field");
        return series;
    }
}

/// <summary>What the lines of a series have in common, encoded.</summary>
/// <param name="Key">Measurement and tags.</param>
/// <param name="FloatFields">Names with their equals sign; empty: not to be written.</param>
/// <param name="IntFields">The same.</param>
internal sealed record EncodedSeries(byte[] Key, byte[][] FloatFields, byte[][] IntFields);
