using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Keeps points on disk until the time-series server has them.</summary>
internal sealed class PointQueue(StateStore store, StoreOptions options, TimeProvider time) : IPointSink
{
    private const int MaxPoints = 5_000;

    /// <summary>Hours of a year, and reasons: more an agent does not lose at once.</summary>
    private const int MaxLosses = 20_000;

    /// <summary>How far an agent's clock may be ahead of ours.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    private static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private Task _gathered = Task.CompletedTask;
    private volatile TaskCompletionSource _added = NewSignal();

    public bool IsWanted => true;

    /// <summary>Completes when points are added after it was read.</summary>
    public Task Added => _added.Task;

    public HeadPosition Watermark(string instanceId) => store.Read(transaction => transaction.Points.Watermark(instanceId));

    public Action<StoreTransaction> Prepare(PointDelivery delivery)
    {
        var batch = delivery.Batch;
        var points = batch.Points.Count + batch.Rows.Count;
        if (points > MaxPoints)
            throw new BadMessageException($"{points} points in one batch, {MaxPoints} is the limit");
        if (batch.Losses.Count > MaxLosses || batch.Collected > int.MaxValue)
            throw new BadMessageException("an account of points that no agent gives");

        var (lines, count) = Encode(batch, delivery.Names);
        var losses = batch.Losses.Select(loss => (Hour: HourOf(loss.Hour.ToTime("hour")), Counts: ToCounts(loss))).Where(loss => IsAccounted(loss.Hour)).ToList();
        return transaction =>
        {
            transaction.Points.SetWatermark(delivery.InstanceId, delivery.Position);
            var epoch = delivery.Position.Epoch;
            if (delivery.SampledAt is { } at && IsAccounted(at))
                transaction.PointAccounts.Count(delivery.InstanceId, HourOf(at), epoch, new PointCounts((long)batch.Collected, count, points - count, 0, 0));
            foreach (var (hour, counts) in losses)
                transaction.PointAccounts.Count(delivery.InstanceId, hour, epoch, counts);
            if (delivery.LateSampleAt is { } late)
                transaction.Presence.Sampled(delivery.InstanceId, late);
            if (count > 0)
                transaction.Points.Add(lines, count);
        };
    }

    public async Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries)
    {
        await Gathered();
        await store.WriteAsync(transaction =>
        {
            foreach (var delivery in deliveries)
                delivery(transaction);
        });
        Wake();
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

    /// <summary>Nobody waits for a metric: deliveries wait for each other, and what comes to the store together commits together.</summary>
    private Task Gathered()
    {
        lock (_gate)
        {
            if (_gathered.IsCompleted)
                _gathered = Task.Delay(GatherTime, time);
            return _gathered;
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

    /// <summary>Of hours that a wrong clock or a hostile peer makes up there is no account: those of the future would never be forgotten.</summary>
    private bool IsAccounted(DateTimeOffset hour)
    {
        var now = time.GetUtcNow();
        return hour >= now - options.History && hour <= now + Ahead;
    }

    private static DateTimeOffset HourOf(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);

    private void Wake() => Interlocked.Exchange(ref _added, NewSignal()).SetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
