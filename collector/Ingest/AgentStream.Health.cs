using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Ingest;

internal sealed partial class AgentStream
{
    private readonly SeriesNames _series = new();
    private HealthLane _health = null!;
    private HeadPosition _healthAcked;
    private bool _hasLoggedUnread;

    // Of the room for messages, by the message that is being handled.
    private int _taken;

    private async IAsyncEnumerable<V1.ConnectResponse> KeepAsync(V1.HealthBatch batch)
    {
        var position = PositionOf(batch.Epoch, batch.Sequence);

        // Names hold for what follows, though these points are known.
        foreach (var series in batch.Series)
        {
            if (!_series.Name(series))
                NoteUnread("more names than a stream may have");
        }

        if (position > _health.Taken)
            await KeepAsync(Prepare(batch, position), position);
        else if (position <= _health.Watermark)
            _healthAcked = default;
        if (AckHealth() is { } ack)
            yield return ack;
    }

    /// <summary>What cannot be read is counted and acknowledged all the same: refused it would come again, for ever.</summary>
    private Action<StoreTransaction> Prepare(V1.HealthBatch batch, HeadPosition position)
    {
        try
        {
            return points.Prepare(ToDelivery(batch, position));
        }
        catch (BadMessageException e)
        {
            NoteUnread(e.Message);
            return points.Prepare(new PointDelivery(InstanceId, position, new V1.HealthBatch(), _series)
            {
                SampledAt = time.GetUtcNow(),
                Sampling = _sampling,
                Unreadable = batch.Points.Count + batch.Rows.Count,
                Gap = GapBefore(position),
            });
        }
    }

    private void NoteUnread(string reason)
    {
        if (_hasLoggedUnread)
            return;
        _hasLoggedUnread = true;
        Log.UnreadHealth(logger, InstanceId, reason);
    }

    /// <summary>From here on the lane has the room that the message took.</summary>
    private Task KeepAsync(Action<StoreTransaction> batch, HeadPosition position)
    {
        var bytes = _taken;
        _taken = 0;
        return _health.TakeAsync(batch, position, bytes);
    }

    /// <returns>Null when the agent knows.</returns>
    private V1.ConnectResponse? AckHealth()
    {
        if (_healthAcked == _health.Watermark)
            return null;
        _healthAcked = _health.Watermark;
        return Ack(V1.Lane.Health, _healthAcked);
    }

    private PointDelivery ToDelivery(V1.HealthBatch batch, HeadPosition position)
    {
        var sampledAt = (batch.Rows.Count > 0 || batch.Points.Count == 0 ? batch.Time : batch.Points[0].Time)?.ToTime("time");
        if (batch.Rows.Count > 0 && sampledAt is null)
            throw new BadMessageException("points without a time");
        return new PointDelivery(InstanceId, position, batch, _series)
        {
            SampledAt = sampledAt,
            ClockOffset = _clockOffset ?? TimeSpan.Zero,
            Sampling = _sampling,
            Gap = GapBefore(position),

            // While it is connected nobody needs this evidence that it runs.
            LateSampleAt = OnOurClock(sampledAt) is { } at && at < _connectedAt ? at : null,
        };
    }

    /// <summary>Each delivery of the lane counts one more than the one before, or begins a higher epoch.</summary>
    private LaneGap? GapBefore(HeadPosition position)
    {
        var last = _health.Taken;
        var expected = position.Epoch == last.Epoch ? last.Sequence + 1 : 1;
        return last == default || position.Sequence <= expected ? null : new LaneGap(V1.Lane.Health, position.Epoch, expected, position.Sequence - 1);
    }

    private static partial class Log
    {
        [LoggerMessage(7, LogLevel.Warning, "Instance {Instance} brings metrics that cannot be read: {Reason}. They are counted as rejected, here and if such come again on this stream; all others are kept. 'telemetryctl reports coverage' counts them")]
        public static partial void UnreadHealth(ILogger logger, string instance, string reason);
    }
}
