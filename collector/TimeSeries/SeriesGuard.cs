using System.Runtime.CompilerServices;
using Telemetry.Collector.TimeSeries.Embedded;

namespace Telemetry.Collector.TimeSeries;

/// <summary>
/// The one place that decides which series and fields there may be, in whatever store: beyond so many of an instance, of a
/// measurement, or in all, new ones are refused, and those that are known go on. A store that keeps a list of its own tells what is in
/// it, and refuses none.
/// </summary>
/// <remarks>
/// What had no point for a day does not count in its instance's share any more. It is forgotten then; or, if the store keeps it, when
/// the store has nothing of it any more. Which are known is told by their hashes: of two that are alike both are let in.
/// </remarks>
internal sealed partial class SeriesGuard(SeriesLimits limits, TimeProvider time, ILogger<SeriesGuard> logger)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromDays(1);
    private static readonly TimeSpan LookThrough = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, KnownSeries> _series = [];
    private readonly Dictionary<ulong, KnownField> _fields = [];
    private readonly Dictionary<string, Measurement> _measurements = [];
    private readonly Dictionary<string, SeriesShare> _instances = [];
    private readonly SeriesRefusals _refusals = new();
    private long _lookedThroughAt = time.GetTimestamp();

    /// <summary>Series that are known.</summary>
    public int Count => Usage.Series;

    public SeriesUsage Usage
    {
        get
        {
            lock (_gate)
                return new SeriesUsage(_series.Count, limits.All, _fields.Count, _refusals.Points, _refusals.Most());
        }
    }

    /// <param name="series">Measurement and tags, as the line protocol has them.</param>
    /// <param name="instanceId">Who tells of it; null: the collector itself.</param>
    public bool Admits(ReadOnlySpan<byte> series, string? instanceId) => Admits(series, instanceId, fields: null, line: default);

    /// <summary>Also its fields.</summary>
    public bool Admits(in EncodedSeries series, string? instanceId) => Admits(series.Key.Span, instanceId, series.Fields, line: default);

    /// <param name="line">With its series and fields.</param>
    /// <param name="instanceId">Who tells of it; null: the collector itself.</param>
    public bool AdmitsLine(ReadOnlySpan<byte> line, string? instanceId) => Admits(new LineReader(line).Series, instanceId, fields: null, line);

    /// <summary>The store has it, and says when it has not any more.</summary>
    /// <param name="instanceId">Whose agent told it; null: the collector itself, or nobody knows.</param>
    /// <param name="isActive">It had a point a short time ago.</param>
    public void Keeps(ReadOnlySpan<byte> series, string? instanceId, bool isActive = true)
    {
        lock (_gate)
        {
            var key = KeyOf(series);
            if (!_series.ContainsKey(key))
                Add(key, series, ShareOf(series, instanceId), instanceId is null, isActive, time.GetTimestamp());
            Find(_series, key).IsKept = true;
        }
    }

    /// <inheritdoc cref="Keeps"/>
    public void KeepsField(ReadOnlySpan<byte> name, string? instanceId)
    {
        lock (_gate)
        {
            var key = KeyOf(name);
            if (!_fields.ContainsKey(key))
                AddField(key, instanceId is null ? null : ShareOf(instanceId), time.GetTimestamp());
            Find(_fields, key).IsKept = true;
        }
    }

    /// <summary>The store has nothing of it any more.</summary>
    public void Gone(ReadOnlySpan<byte> series)
    {
        lock (_gate)
        {
            var key = KeyOf(series);
            ref var known = ref Find(_series, key);
            if (Unsafe.IsNullRef(ref known))
                return;
            known.IsKept = false;
            if (!known.IsActive)
                Remove(key, known);
        }
    }

    /// <inheritdoc cref="Gone"/>
    public void GoneField(ReadOnlySpan<byte> name)
    {
        lock (_gate)
        {
            var key = KeyOf(name);
            ref var known = ref Find(_fields, key);
            if (Unsafe.IsNullRef(ref known))
                return;
            known.IsKept = false;
            if (time.GetElapsedTime(known.SeenAt) >= Remembered)
                RemoveField(key, known);
        }
    }

    /// <summary>The store begins anew.</summary>
    public void KeepsNothing()
    {
        lock (_gate)
        {
            foreach (var key in _series.Keys)
                Find(_series, key).IsKept = false;
            foreach (var key in _fields.Keys)
                Find(_fields, key).IsKept = false;
        }
    }

    private bool Admits(ReadOnlySpan<byte> series, string? instanceId, FieldNames? fields, ReadOnlySpan<byte> line)
    {
        var key = KeyOf(series);
        var now = time.GetTimestamp();
        lock (_gate)
        {
            if (time.GetElapsedTime(_lookedThroughAt, now) >= LookThrough)
                Forget(now);

            ref var known = ref Find(_series, key);
            if (Unsafe.IsNullRef(ref known))
            {
                var share = ShareOf(series, instanceId);
                if (!MayBegin(series, share, isOwn: instanceId is null) || !AdmitsFields(series, instanceId, fields, line, now))
                    return false;
                Add(key, series, share, isOwn: instanceId is null, isActive: true, now).Fields = fields;
                return true;
            }

            known.SeenAt = now;

            // Whoever tells of what nobody told for a day has it: nobody fills another's share with what that had once.
            if (instanceId is not null && (!known.IsActive || known.Use == _unknown))
                Take(ref known, ShareOf(instanceId).Told);
            if (!known.IsActive)
                (known.IsActive, known.Use.Active) = (true, known.Use.Active + 1);
            if (fields is not null && ReferenceEquals(known.Fields, fields))
                return true;
            known.Fields = fields;
            if (AdmitsFields(series, instanceId, fields, line, now))
                return true;
            known.Fields = null;
            return false;
        }
    }

    /// <summary>Whether there is room for one more series.</summary>
    private bool MayBegin(ReadOnlySpan<byte> series, SeriesShare? share, bool isOwn)
    {
        // What the collector tells itself has a limit by instance, and none in all: nobody else may keep it from telling what drifts.
        if (isOwn)
        {
            return share is null || (share.Own.Active < limits.OwnPerInstance && share.Own.Known < 10 * limits.OwnPerInstance)
                || Refuses(series, share, "series that the collector tells of it");
        }

        if (share is null)
            return true;
        if (share.Told.Active >= limits.PerInstance)
            return Refuses(series, share, "series");
        if (share.Told.Known >= limits.KeptPerInstance)
            return Refuses(series, share, "series that are still kept");
        var name = NameOf(series);
        var measurement = _measurements.GetValueOrDefault(name);
        if (measurement is null && (share.Measurements >= limits.MeasurementsPerInstance || _measurements.Count >= limits.Measurements))
            return Refuses(series, share, "measurements");
        if (_series.Count < limits.All && (measurement?.Series ?? 0) < limits.PerMeasurement)
            return true;

        _refusals.Count(share.InstanceId, series, $"{limits.All} series in all, {limits.PerMeasurement} of a measurement", time.GetUtcNow());
        if (measurement is { IsTold: false })
        {
            measurement.IsTold = true;
            Log.Refused(logger, name, SeriesRefusals.Shown(series), measurement.Series, limits.PerMeasurement, _series.Count, limits.All);
        }

        return false;
    }

    private bool AdmitsFields(ReadOnlySpan<byte> series, string? instanceId, FieldNames? fields, ReadOnlySpan<byte> line, long now)
    {
        // The collector's own are few, and always the same.
        if (instanceId is null)
            return true;
        var share = ShareOf(instanceId);
        foreach (var name in fields?.Floats ?? [])
        {
            if (!AdmitsField(series, Bare(name), share, now))
                return false;
        }

        foreach (var name in fields?.Ints ?? [])
        {
            if (!AdmitsField(series, Bare(name), share, now))
                return false;
        }

        if (line.IsEmpty)
            return true;
        var reader = new LineReader(line);
        while (reader.NextField())
        {
            if (!AdmitsField(series, reader.Field, share, now))
                return false;
        }

        return true;
    }

    private bool AdmitsField(ReadOnlySpan<byte> series, ReadOnlySpan<byte> name, SeriesShare share, long now)
    {
        if (name.IsEmpty)
            return true;
        var key = KeyOf(name);
        ref var known = ref Find(_fields, key);
        if (!Unsafe.IsNullRef(ref known))
        {
            known.SeenAt = now;
            return true;
        }

        if (share.Fields >= limits.FieldsPerInstance || _fields.Count >= limits.Fields)
            return Refuses(series, share, "names of fields");
        AddField(key, share, now);
        return true;
    }

    /// <returns>False.</returns>
    private bool Refuses(ReadOnlySpan<byte> series, SeriesShare share, string what)
    {
        _refusals.Count(share.InstanceId, series, $"too many {what}", time.GetUtcNow());
        if (!share.IsTold)
        {
            share.IsTold = true;
            Log.RefusedOfInstance(logger, what, share.InstanceId, SeriesRefusals.Shown(series), share.Told.Active, share.Told.Known, share.Own.Active, share.Measurements, share.Fields);
        }

        return false;
    }
}
