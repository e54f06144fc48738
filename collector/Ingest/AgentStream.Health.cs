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

    // Of the room for messages, by the message that is being handled.
    private int _taken;

    private async IAsyncEnumerable<V1.ConnectResponse> KeepAsync(V1.HealthBatch batch)
    {
        var position = PositionOf(batch.Epoch, batch.Sequence);

        // Names hold for what follows, though these points are known.
        foreach (var series in batch.Series)
            _series.Name(series);
        if (position > _health.Taken)
            await KeepAsync(points.Prepare(ToDelivery(batch, position)), position);
        else if (position <= _health.Watermark)
            _healthAcked = default;
        if (AckHealth() is { } ack)
            yield return ack;
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
}
