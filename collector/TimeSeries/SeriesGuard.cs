using System.Text;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Keeps series from exploding: beyond so many of a measurement, or in all, new ones are refused, and those that are known go on.</summary>
/// <remarks>A series that had no point for a day is forgotten. Which are known is told by their hashes: of two that are alike both are let in.</remarks>
internal sealed partial class SeriesGuard(SeriesLimits limits, TimeProvider time, ILogger<SeriesGuard> logger)
{
    /// <summary>Far more than there are.</summary>
    private const int MaxMeasurements = 1_000;

    private const int MaxShown = 200;

    private static readonly TimeSpan Remembered = TimeSpan.FromDays(1);
    private static readonly TimeSpan LookThrough = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, (int Measurement, long SeenAt)> _known = [];
    private readonly Dictionary<string, int> _measurements = [];
    private readonly List<Measurement> _counts = [];
    private long _lookedThroughAt = time.GetTimestamp();

    /// <summary>Those that are known.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _known.Count;
        }
    }

    /// <param name="series">Measurement and tags, as the line protocol has them.</param>
    public bool Admits(ReadOnlySpan<byte> series)
    {
        var hash = default(HashCode);
        hash.AddBytes(series);
        var key = ((ulong)(uint)hash.ToHashCode() << 32) | (uint)series.Length;
        var now = time.GetTimestamp();
        lock (_gate)
        {
            if (_known.TryGetValue(key, out var known))
            {
                _known[key] = (known.Measurement, now);
                return true;
            }

            if (time.GetElapsedTime(_lookedThroughAt, now) >= LookThrough)
                Forget(now);
            if (MeasurementOf(series) is not { } measurement || _known.Count >= limits.All || _counts[measurement].Series >= limits.PerMeasurement)
            {
                Refuse(series);
                return false;
            }

            _known[key] = (measurement, now);
            _counts[measurement].Series++;
            return true;
        }
    }

    private int? MeasurementOf(ReadOnlySpan<byte> series)
    {
        var name = NameOf(series);
        if (_measurements.TryGetValue(name, out var index))
            return index;
        if (_counts.Count == MaxMeasurements)
            return null;
        _counts.Add(new Measurement());
        return _measurements[name] = _counts.Count - 1;
    }

    private void Forget(long now)
    {
        _lookedThroughAt = now;
        foreach (var (key, (measurement, seenAt)) in _known)
        {
            if (time.GetElapsedTime(seenAt, now) >= Remembered && _known.Remove(key))
                _counts[measurement].Series--;
        }

        foreach (var measurement in _counts)
            measurement.IsTold = false;
    }

    /// <summary>Once an hour for each measurement.</summary>
    private void Refuse(ReadOnlySpan<byte> series)
    {
        var name = NameOf(series);
        if (_measurements.TryGetValue(name, out var index) && !_counts[index].IsTold)
        {
            _counts[index].IsTold = true;
            Log.Refused(logger, name, Encoding.UTF8.GetString(series[..Math.Min(series.Length, MaxShown)]), _counts[index].Series, limits.PerMeasurement, _known.Count, limits.All);
        }
    }

    private static string NameOf(ReadOnlySpan<byte> series)
    {
        var end = 0;
        while (end < series.Length && (series[end] != (byte)',' || (end > 0 && series[end - 1] == (byte)'\\')))
            end++;
        return Encoding.UTF8.GetString(series[..end]);
    }

    private sealed class Measurement
    {
        public int Series { get; set; }

        public bool IsTold { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "New series of measurement {Measurement} are refused, such as {Series}: there are {Count} of it, where {Most} may be, and {All} in all, where {MostInAll} may be. Those that are known go on. 'telemetryctl reports coverage' counts the points as too_many_series; find whose tags keep changing, or raise timeseries.max_series and timeseries.max_series_per_measurement")]
        public static partial void Refused(ILogger logger, string measurement, string series, int count, int most, int all, int mostInAll);
    }
}
