using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Keeps points on disk until the time-series server has them.</summary>
internal sealed class PointQueue(StateStore store, TimeProvider time) : IPointSink
{
    private const int MaxPoints = 5_000;

    /// <summary>Hours of a year, and reasons: more an agent does not lose at once.</summary>
    private const int MaxLosses = 20_000;

    private static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private Gathering _gathering = new();
    private volatile TaskCompletionSource _added = NewSignal();

    public bool IsWanted => true;

    /// <summary>Completes when points are added after it was read.</summary>
    public Task Added => _added.Task;

    public HeadPosition Watermark(string instanceId) => store.Read(transaction => transaction.Points.Watermark(instanceId));

    public async Task AddAsync(PointDelivery delivery)
    {
        var batch = delivery.Batch;
        var points = batch.Points.Count + batch.Rows.Count;
        if (points > MaxPoints)
            throw new BadMessageException($"{points} points in one batch, {MaxPoints} is the limit");
        if (batch.Losses.Count > MaxLosses || batch.Collected > int.MaxValue)
            throw new BadMessageException("an account of points that no agent gives");

        var (lines, count) = Encode(batch, delivery.Names);
        var losses = batch.Losses.Select(loss => (Hour: HourOf(loss.Hour.ToTime("hour")), Counts: ToCounts(loss))).ToList();
        await AddAsync(transaction =>
        {
            transaction.Points.SetWatermark(delivery.InstanceId, delivery.Position);
            var epoch = delivery.Position.Epoch;
            if (delivery.SampledAt is { } at)
                transaction.PointAccounts.Count(delivery.InstanceId, HourOf(at), epoch, new PointCounts((long)batch.Collected, count, points - count, 0, 0));
            foreach (var (hour, counts) in losses)
                transaction.PointAccounts.Count(delivery.InstanceId, hour, epoch, counts);
            if (delivery.LateSampleAt is { } late)
                transaction.Presence.Sampled(delivery.InstanceId, late);
            if (count > 0)
                transaction.Points.Add(lines, count);
        });
    }

    /// <summary>Adds the collector's own points.</summary>
    public void Add(IReadOnlyList<V1.Point> points)
    {
        var batch = new V1.HealthBatch();
        batch.Points.AddRange(points);
        var (lines, count) = Encode(batch, new SeriesNames());
        if (count == 0)
            return;

        store.Write(transaction => transaction.Points.Add(lines, count));
        Wake();
    }

    /// <summary>Deliveries are stored some together: nobody waits for a metric, and the disk is asked a few times a second instead of a thousand.</summary>
    private async Task AddAsync(Action<StoreTransaction> work)
    {
        Gathering gathering;
        bool isFirst;
        lock (_gate)
        {
            gathering = _gathering;
            isFirst = gathering.Works.Count == 0;
            gathering.Works.Add(work);
        }

        if (isFirst)
            await StoreAsync(gathering);
        await gathering.Stored.Task;
    }

    private async Task StoreAsync(Gathering gathering)
    {
        await Task.Delay(GatherTime, time);
        lock (_gate)
            _gathering = new Gathering();
        try
        {
            await store.WriteAsync(transaction => gathering.Works.ForEach(work => work(transaction)));
            gathering.Stored.SetResult();
            Wake();
        }
        catch (Exception e)
        {
            // Each of those who wait is told.
            gathering.Stored.SetException(e);
        }
    }

    private static (byte[] Lines, int Count) Encode(V1.HealthBatch batch, SeriesNames names)
    {
        using var lines = new LineProtocol();
        var count = 0;
        foreach (var point in batch.Points)
            count += lines.Append(point) ? 1 : 0;
        foreach (var row in batch.Rows)
            count += names.Of(row) is { } series && lines.Append(series, row, batch.Time) ? 1 : 0;
        return (lines.Lines.ToArray(), count);
    }

    private static PointCounts ToCounts(V1.Loss loss)
    {
        if (loss.Points > int.MaxValue)
            throw new BadMessageException("a loss of more points than an agent can have");
        return loss.Reason == V1.LossReason.SpoolDamaged
            ? new PointCounts(0, 0, 0, 0, (long)loss.Points)
            : new PointCounts(0, 0, 0, (long)loss.Points, 0);
    }

    private static DateTimeOffset HourOf(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);

    private void Wake() => Interlocked.Exchange(ref _added, NewSignal()).SetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Gathering
    {
        public List<Action<StoreTransaction>> Works { get; } = [];

        public TaskCompletionSource Stored { get; } = NewSignal();
    }
}
