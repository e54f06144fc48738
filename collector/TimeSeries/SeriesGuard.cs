using System.Text;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Keeps series from exploding: beyond so many of an instance, of a measurement, or in all, new ones are refused, and those that are known go on.</summary>
/// <remarks>A series that had no point for a day is forgotten. Which are known is told by their hashes: of two that are alike both are let in.</remarks>
internal sealed partial class SeriesGuard(SeriesLimits limits, TimeProvider time, ILogger<SeriesGuard> logger)
{
    /// <summary>Far more than there are.</summary>
    private const int MaxMeasurements = 1_000;

    private const int MaxShown = 200;

    private static readonly TimeSpan Remembered = TimeSpan.FromDays(1);
    private static readonly TimeSpan LookThrough = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Known> _known = [];
    private readonly Dictionary<string, Counted> _measurements = [];
    private readonly Dictionary<string, Counted> _instances = [];
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
    /// <param name="instanceId">Who tells of it; null: the collector itself.</param>
    public bool Admits(ReadOnlySpan<byte> series, string? instanceId)
    {
        var hash = default(HashCode);
        hash.AddBytes(series);
        var key = ((ulong)(uint)hash.ToHashCode() << 32) | (uint)series.Length;
        var now = time.GetTimestamp();
        lock (_gate)
        {
            if (_known.TryGetValue(key, out var known))
            {
                _known[key] = known with { SeenAt = now };
                return true;
            }

            if (time.GetElapsedTime(_lookedThroughAt, now) >= LookThrough)
                Forget(now);
            return Admit(key, series, instanceId, now);
        }
    }

    private bool Admit(ulong key, ReadOnlySpan<byte> series, string? instanceId, long now)
    {
        var name = NameOf(series);
        var instance = instanceId is null ? null : Of(_instances, instanceId);
        if (instance?.Series >= limits.PerInstance)
        {
            if (instance.IsNews())
                Log.RefusedOfInstance(logger, instanceId!, Shown(series), limits.PerInstance);
            return false;
        }

        var measurement = _measurements.Count < MaxMeasurements || _measurements.ContainsKey(name) ? Of(_measurements, name) : null;
        if (measurement is null || measurement.Series >= limits.PerMeasurement || _known.Count >= limits.All)
        {
            if (measurement?.IsNews() ?? false)
                Log.Refused(logger, name, Shown(series), measurement.Series, limits.PerMeasurement, _known.Count, limits.All);
            return false;
        }

        _known[key] = new Known(measurement, instance, now);
        measurement.Series++;
        if (instance is not null)
            instance.Series++;
        return true;
    }

    private static Counted Of(Dictionary<string, Counted> counts, string name)
    {
        if (!counts.TryGetValue(name, out var counted))
            counts[name] = counted = new Counted();
        return counted;
    }

    private void Forget(long now)
    {
        _lookedThroughAt = now;
        foreach (var (key, known) in _known)
        {
            if (time.GetElapsedTime(known.SeenAt, now) < Remembered)
                continue;
            _known.Remove(key);
            known.Measurement.Series--;
            if (known.Instance is not null)
                known.Instance.Series--;
        }

        foreach (var counts in (Dictionary<string, Counted>[])[_measurements, _instances])
        {
            foreach (var (name, counted) in counts)
            {
                counted.IsTold = false;
                if (counted.Series == 0)
                    counts.Remove(name);
            }
        }
    }

    private static string Shown(ReadOnlySpan<byte> series) => Encoding.UTF8.GetString(series[..Math.Min(series.Length, MaxShown)]);

    private static string NameOf(ReadOnlySpan<byte> series)
    {
        var end = 0;
        while (end < series.Length && (series[end] != (byte)',' || (end > 0 && series[end - 1] == (byte)'\\')))
            end++;
        return Encoding.UTF8.GetString(series[..end]);
    }

    private sealed class Counted
    {
        public int Series { get; set; }

        public bool IsTold { get; set; }

        /// <summary>Once an hour.</summary>
        public bool IsNews() => !IsTold && (IsTold = true);
    }

    private readonly record struct Known(Counted Measurement, Counted? Instance, long SeenAt);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "New series of measurement {Measurement} are refused, such as {Series}: there are {Count} of it, where {Most} may be, and {All} in all, where {MostInAll} may be. Those that are known go on. 'telemetryctl reports coverage' counts the points as too_many_series; find whose tags keep changing, or raise timeseries.max_series and timeseries.max_series_per_measurement")]
        public static partial void Refused(ILogger logger, string measurement, string series, int count, int most, int all, int mostInAll);

        [LoggerMessage(2, LogLevel.Error, "New series of instance {Instance} are refused, such as {Series}: it has {Most}, as many as it may. Those that are known go on, and so do all of other instances. 'telemetryctl reports coverage' counts the points as too_many_series; find which of its tags keeps changing, or raise timeseries.max_series_per_instance")]
        public static partial void RefusedOfInstance(ILogger logger, string instance, string series, int most);
    }
}
