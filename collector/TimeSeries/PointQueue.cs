using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Keeps points on disk until the time-series server has them. Full: the oldest give way, and are counted.</summary>
/// <param name="limit">Bytes of lines that may wait.</param>
/// <param name="guard">Null: series are not counted.</param>
internal sealed class PointQueue(StateStore store, StoreOptions options, TimeProvider time, long limit = 1L << 30, SeriesGuard? guard = null) : IPointSink
{
    private readonly DeliveryAccount _account = new(options, time);
    private readonly DeliveryGathering _gathering = new(time);

    // Bytes that wait; of the store's writing thread. Null: they are to be counted.
    private long? _bytes;
    private volatile bool _isUnsure;

    // On its way to the server, which may have it. Of the store's writing thread, but for what failed.
    private long _takenUpTo;

    private volatile TaskCompletionSource _added = NewSignal();

    public bool IsWanted => true;

    /// <summary>Bytes of lines that may wait.</summary>
    public long Limit => limit;

    /// <summary>Completes when points are added after it was read.</summary>
    public Task Added => _added.Task;

    public HeadPosition Watermark(string instanceId) => store.Read(transaction => transaction.Points.Watermark(instanceId));

    public Action<StoreTransaction> Prepare(PointDelivery delivery)
    {
        var batch = delivery.Batch;
        var points = delivery.CountPoints();
        var owner = _account.OwnerOf(delivery);
        var account = _account.Prepare(delivery);
        var (lines, count, rejections) = Encode(batch, delivery.Names, delivery.InstanceId, delivery.Shift);
        if (delivery.Unreadable > 0)
            rejections[RejectionReason.NotReadable] = delivery.Unreadable;
        return transaction =>
        {
            account(transaction);
            if (owner is not null && (points > 0 || batch.Collected > 0))
                transaction.PointAccounts.Count(owner.InstanceId, owner.Hour, owner.Epoch, new PointCounts((long)batch.Collected, count, points - count, 0, 0));
            foreach (var (reason, rejected) in rejections)
                transaction.Rejections.Count(delivery.InstanceId, owner?.Hour ?? PointDelivery.HourOf(time.GetUtcNow()), reason, rejected);
            if (count > 0)
                Add(transaction, lines, count, owner);
        };
    }

    public async Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries)
    {
        await _gathering.End();
        await WriteAsync(transaction =>
        {
            foreach (var delivery in deliveries)
                delivery(transaction);
        });
        Wake();
    }

    /// <summary>Adds the collector's own points. What is refused of them is in the guard's count.</summary>
    public async Task AddAsync(IReadOnlyList<V1.Point> points)
    {
        var batch = new V1.HealthBatch();
        batch.Points.AddRange(points);
        var (lines, count, _) = Encode(batch, new SeriesNames(), instanceId: null, shift: default);
        if (count == 0)
            return;

        await WriteAsync(transaction => Add(transaction, lines, count, owner: null));
        Wake();
    }

    /// <summary>What goes to the server next, behind what was taken before: the caller's until it is done. One caller at a time.</summary>
    /// <param name="onlyFull">Nothing, unless it is as much as asked for.</param>
    /// <returns>Null: there is nothing.</returns>
    public async Task<PointParcel?> TakeAsync(int lines, long bytes, bool onlyFull)
    {
        var before = Interlocked.Read(ref _takenUpTo);
        try
        {
            // On the writing thread, where the oldest give way: whoever is taken does not, and is counted once.
            var taken = await store.WriteAsync(transaction =>
            {
                if (transaction.Points.Next(lines, bytes, before) is not { } next || (onlyFull && !next.IsFull))
                    return null;
                Interlocked.Exchange(ref _takenUpTo, next.Last);
                return ((long First, long Last)?)(next.First, next.Last);
            });
            return taken is { } range ? new PointParcel(store.Read(transaction => transaction.Points.Between(range.First, range.Last))) : null;
        }
        catch (StoreException)
        {
            Interlocked.Exchange(ref _takenUpTo, before);
            throw;
        }
    }

    /// <summary>The server has these, but for what it will never take.</summary>
    public Task DoneAsync(PointParcel taken, IReadOnlyList<RefusedParcel> refused) =>
        WriteAsync(transaction =>
        {
            transaction.Points.Delete(taken.Batches[0].Id, taken.Batches[^1].Id);
            _bytes -= taken.Bytes;
            foreach (var parcel in refused)
            {
                foreach (var batch in parcel.Parcel.Batches.Where(batch => batch.Owner is not null))
                    transaction.PointAccounts.Refuse(batch.Owner!, parcel.Reason, batch.LineCount);
            }
        });

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
            _bytes = transaction.Points.Waiting().Bytes;
        }

        while (_bytes + lines.Length > limit && transaction.Points.Oldest(1, 1, after: Interlocked.Read(ref _takenUpTo)) is [var oldest])
        {
            transaction.Points.Delete(oldest.Id, oldest.Id);
            if (oldest.Owner is not null)
                transaction.PointAccounts.Refuse(oldest.Owner, RejectionReason.QueueFull, oldest.LineCount);
            _bytes -= oldest.Lines.Length;
        }

        transaction.Points.Add(lines, count, owner);
        _bytes += lines.Length;
    }

    private (byte[] Lines, int Count, Dictionary<RejectionReason, int> Rejections) Encode(V1.HealthBatch batch, SeriesNames names, string? instanceId, TimeSpan shift)
    {
        using var lines = new LineProtocol { Shift = shift };
        var count = 0;
        var rejections = new Dictionary<RejectionReason, int>();
        foreach (var point in batch.Points)
        {
            var start = lines.Lines.Length;
            var isWritten = lines.Append(point);
            if (isWritten && guard?.AdmitsLine(lines.Lines[start..], instanceId) == false)
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
            else if (guard?.Admits(series, instanceId) == false)
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

    private void Wake() => Interlocked.Exchange(ref _added, NewSignal()).SetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
