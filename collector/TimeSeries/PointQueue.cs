using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Keeps points on disk until the time-series server has them. Full: the oldest give way, and are counted.</summary>
/// <param name="limit">Bytes of lines that may wait.</param>
/// <param name="guard">Null: series are not counted.</param>
internal sealed class PointQueue(StateStore store, StoreOptions options, TimeProvider time, long limit = 1L << 30, SeriesGuard? guard = null) : IPointSink
{
    /// <summary>How far an agent's clock may be ahead of ours.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    private static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();

    // Bytes that wait; of the store's writing thread. Null: they are to be counted.
    private long? _bytes;
    private volatile bool _isUnsure;

    // On its way to the server, which may have it.
    private long _sentUpTo;

    private Task _gathered = Task.CompletedTask;
    private volatile TaskCompletionSource _added = NewSignal();

    public bool IsWanted => true;

    /// <summary>Completes when points are added after it was read.</summary>
    public Task Added => _added.Task;

    public HeadPosition Watermark(string instanceId) => store.Read(transaction => transaction.Points.Watermark(instanceId));

    public Action<StoreTransaction> Prepare(PointDelivery delivery)
    {
        var batch = delivery.Batch;
        var points = delivery.CountPoints();
        var losses = delivery.Losses().Where(loss => IsAccounted(loss.Hour)).ToList();
        var (lines, count, rejections) = Encode(batch, delivery.Names);
        return transaction =>
        {
            transaction.Points.SetWatermark(delivery.InstanceId, delivery.Position);
            var epoch = delivery.Position.Epoch;
            var owner = delivery.SampledAt is { } at && IsAccounted(at) ? new PointOwner(delivery.InstanceId, PointDelivery.HourOf(at), epoch) : null;
            if (owner is not null && (points > 0 || batch.Collected > 0))
                transaction.PointAccounts.Count(owner.InstanceId, owner.Hour, epoch, new PointCounts((long)batch.Collected, count, points - count, 0, 0));
            foreach (var (reason, rejected) in rejections)
                transaction.Rejections.Count(delivery.InstanceId, owner?.Hour ?? PointDelivery.HourOf(time.GetUtcNow()), reason, rejected);
            if (delivery.Gap is { } gap)
                transaction.LaneGaps.Add(delivery.InstanceId, gap, time.GetUtcNow());
            foreach (var (hour, counts) in losses)
                transaction.PointAccounts.Count(delivery.InstanceId, hour, epoch, counts);
            if (delivery.LateSampleAt is { } late)
                transaction.Presence.Sampled(delivery.InstanceId, late, delivery.Sampling);
            if (count > 0)
                Add(transaction, lines, count, owner);
        };
    }

    public async Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries)
    {
        await Gathered();
        await WriteAsync(transaction =>
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
        var (lines, count, _) = Encode(batch, new SeriesNames());
        if (count == 0)
            return;

        WriteAsync(transaction => Add(transaction, lines, count, owner: null)).GetAwaiter().GetResult();
        Wake();
    }

    /// <summary>What goes to the server next.</summary>
    public IReadOnlyList<StoredPoints> Oldest(int lines, long bytes)
    {
        var batches = store.Read(transaction => transaction.Points.Oldest(lines, bytes));
        if (batches.Count > 0)
            Interlocked.Exchange(ref _sentUpTo, batches[^1].Id);
        return batches;
    }

    /// <summary>The server has these, but for what it will never take.</summary>
    public void Done(IReadOnlyList<StoredPoints> batches, IReadOnlyList<RefusedParcel> refused) =>
        WriteAsync(transaction =>
        {
            transaction.Points.DeleteUpTo(batches[^1].Id);
            _bytes -= batches.Sum(batch => batch.Lines.Length);
            foreach (var parcel in refused)
            {
                transaction.Rejections.Keep(parcel.Parcel.Batches[0].Owner?.InstanceId, time.GetUtcNow(), parcel.Parcel.FirstLine, parcel.Words);
                foreach (var batch in parcel.Parcel.Batches.Where(batch => batch.Owner is not null))
                    transaction.PointAccounts.Refuse(batch.Owner!, parcel.Reason, batch.LineCount);
            }
        }).GetAwaiter().GetResult();

    private async Task WriteAsync(Action<StoreTransaction> work)
    {
        try
        {
            await store.WriteAsync(work);
        }
        catch
        {
            // Nothing was written, whatever the work counted.
            _isUnsure = true;
            throw;
        }
    }

    /// <summary>The last that a work does: what it counts here has happened.</summary>
    private void Add(StoreTransaction transaction, byte[] lines, int count, PointOwner? owner)
    {
        if (_isUnsure || _bytes is null)
        {
            _isUnsure = false;
            _bytes = transaction.Points.Bytes();
        }

        while (_bytes + lines.Length > limit && transaction.Points.Oldest(1, 1, after: Interlocked.Read(ref _sentUpTo)) is [var oldest])
        {
            transaction.Points.Delete(oldest.Id);
            if (oldest.Owner is not null)
                transaction.PointAccounts.Refuse(oldest.Owner, RejectionReason.QueueFull, oldest.LineCount);
            _bytes -= oldest.Lines.Length;
        }

        transaction.Points.Add(lines, count, owner);
        _bytes += lines.Length;
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

    private (byte[] Lines, int Count, Dictionary<RejectionReason, int> Rejections) Encode(V1.HealthBatch batch, SeriesNames names)
    {
        using var lines = new LineProtocol();
        var count = 0;
        var rejections = new Dictionary<RejectionReason, int>();
        foreach (var point in batch.Points)
        {
            var start = lines.Lines.Length;
            var isWritten = lines.Append(point);
            if (isWritten && guard?.Admits(lines.SeriesFrom(start)) == false)
            {
                lines.Truncate(start);
                Count(false, RejectionReason.TooManySeries);
                continue;
            }

            Count(isWritten, lines.Reason);
        }

        foreach (var row in batch.Rows)
        {
            if (names.Of(row) is not { } series)
                Count(false, RejectionReason.WrongName);
            else if (guard?.Admits(series.Key) == false)
                Count(false, RejectionReason.TooManySeries);
            else
                Count(lines.Append(series, row, batch.Time), lines.Reason);
        }

        return (lines.Lines.ToArray(), count, rejections);

        void Count(bool isWritten, RejectionReason reason)
        {
            if (isWritten)
                count++;
            else
                rejections[reason] = rejections.GetValueOrDefault(reason) + 1;
        }
    }

    /// <summary>Of hours that a wrong clock or a hostile peer makes up there is no account: those of the future would never be forgotten.</summary>
    private bool IsAccounted(DateTimeOffset hour)
    {
        var now = time.GetUtcNow();
        return hour >= now - options.History && hour <= now + Ahead;
    }


    private void Wake() => Interlocked.Exchange(ref _added, NewSignal()).SetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
