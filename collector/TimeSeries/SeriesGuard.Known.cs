using System.Runtime.InteropServices;
using System.Text;
using Telemetry.Collector.TimeSeries.Embedded;

namespace Telemetry.Collector.TimeSeries;

internal sealed partial class SeriesGuard
{
    /// <summary>Of those of which it is not known whose they are.</summary>
    private readonly SeriesUse _unknown = new();

    private ref KnownSeries Add(ulong key, ReadOnlySpan<byte> series, SeriesShare? share, bool isOwn, bool isActive, long now)
    {
        var name = NameOf(series);
        if (!_measurements.TryGetValue(name, out var measurement))
        {
            _measurements[name] = measurement = new Measurement { Name = name, BroughtBy = isOwn ? null : share };
            if (measurement.BroughtBy is { } first)
                first.Measurements++;
        }

        measurement.Series++;
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_series, key, out _);
        known = new KnownSeries { Measurement = measurement, SeenAt = now, IsActive = isActive };
        Take(ref known, share is null ? _unknown : isOwn ? share.Own : share.Told);
        return ref known;
    }

    /// <summary>From here on it counts in that share.</summary>
    private static void Take(ref KnownSeries known, SeriesUse use)
    {
        if (known.Use is { } before)
        {
            before.Known--;
            before.Active -= known.IsActive ? 1 : 0;
        }

        known.Use = use;
        use.Known++;
        use.Active += known.IsActive ? 1 : 0;
    }

    private void AddField(ulong key, SeriesShare? share, long now)
    {
        _fields[key] = new KnownField { BroughtBy = share, SeenAt = now };
        if (share is not null)
            share.Fields++;
    }

    private void Forget(long now)
    {
        _lookedThroughAt = now;
        foreach (var key in _series.Keys)
        {
            ref var known = ref Find(_series, key);

            // So that its fields are looked at again, and not forgotten.
            known.Fields = null;
            if (known.IsActive && time.GetElapsedTime(known.SeenAt, now) >= Remembered)
            {
                known.IsActive = false;
                known.Use.Active--;
            }

            if (known is { IsActive: false, IsKept: false })
                Remove(key, known);
        }

        foreach (var (key, known) in _fields)
        {
            if (!known.IsKept && time.GetElapsedTime(known.SeenAt, now) >= Remembered)
                RemoveField(key, known);
        }

        foreach (var measurement in _measurements.Values)
            measurement.IsTold = false;
        foreach (var (id, share) in _instances)
        {
            share.IsTold = false;
            if (share.IsEmpty)
                _instances.Remove(id);
        }
    }

    private void Remove(ulong key, KnownSeries known)
    {
        _series.Remove(key);
        known.Use.Known--;
        if (--known.Measurement.Series > 0)
            return;
        _measurements.Remove(known.Measurement.Name);
        if (known.Measurement.BroughtBy is { } share)
            share.Measurements--;
    }

    private void RemoveField(ulong key, KnownField known)
    {
        _fields.Remove(key);
        if (known.BroughtBy is { } share)
            share.Fields--;
    }

    /// <summary>In whose share it counts; null: nobody knows.</summary>
    private SeriesShare? ShareOf(ReadOnlySpan<byte> series, string? instanceId)
    {
        // What the collector tells names the instance that it is of.
        if (instanceId is null && LineReader.Split(series).Tags.TryGetValue("instance", out var of))
            return ShareOf(of);
        return instanceId is null ? null : ShareOf(instanceId);
    }

    private SeriesShare ShareOf(string instanceId)
    {
        if (!_instances.TryGetValue(instanceId, out var share))
            _instances[instanceId] = share = new SeriesShare(instanceId);
        return share;
    }

    private static ulong KeyOf(ReadOnlySpan<byte> name)
    {
        var hash = default(HashCode);
        hash.AddBytes(name);
        return ((ulong)(uint)hash.ToHashCode() << 32) | (uint)name.Length;
    }

    /// <summary>Changing what is found changes what is known; a null reference: it is not.</summary>
    private static ref T Find<T>(Dictionary<ulong, T> known, ulong key)
        where T : struct => ref CollectionsMarshal.GetValueRefOrNullRef(known, key);

    private static ReadOnlySpan<byte> Bare(byte[] encoded) => encoded.Length == 0 ? [] : encoded.AsSpan()[..^1];

    private static string NameOf(ReadOnlySpan<byte> series)
    {
        var end = 0;
        while (end < series.Length && (series[end] != (byte)',' || (end > 0 && series[end - 1] == (byte)'\\')))
            end++;
        return Encoding.UTF8.GetString(series[..end]);
    }

    private sealed class Measurement
    {
        public required string Name { get; init; }

        public SeriesShare? BroughtBy { get; init; }

        public int Series { get; set; }

        /// <inheritdoc cref="SeriesShare.IsTold"/>
        public bool IsTold { get; set; }
    }

    private struct KnownSeries
    {
        public Measurement Measurement;
        public SeriesUse Use;
        public long SeenAt;

        /// <summary>That were let in with it.</summary>
        public FieldNames? Fields;

        /// <summary>It had a point within a day.</summary>
        public bool IsActive;

        /// <summary>The store has it.</summary>
        public bool IsKept;
    }

    private struct KnownField
    {
        public SeriesShare? BroughtBy;
        public long SeenAt;
        public bool IsKept;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "New series of measurement {Measurement} are refused, such as {Series}: there are {Count} of it, where {Most} may be, and {All} in all, where {MostInAll} may be. Those that are known go on. 'telemetryctl reports timeseries' says whose points that costs; find whose tags keep changing, or raise timeseries.max_series and timeseries.max_series_per_measurement")]
        public static partial void Refused(ILogger logger, string measurement, string series, int count, int most, int all, int mostInAll);

        [LoggerMessage(2, LogLevel.Error, "New {What} of instance {Instance} are refused, such as {Series}. It had {Active} series within a day, {Known} with those that are still kept, {Own} more that the collector tells of it, and was the first with {Measurements} measurements and {Fields} names of fields. Those that are known go on, and so do all of other instances. 'telemetryctl reports timeseries' counts the points; find which of its names or tags keeps changing, or raise timeseries.max_series_per_instance")]
        public static partial void RefusedOfInstance(ILogger logger, string what, string instance, string series, int active, int known, int own, int measurements, int fields);
    }
}
