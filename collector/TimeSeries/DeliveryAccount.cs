using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;

namespace Telemetry.Collector.TimeSeries;

/// <summary>What every delivery tells beside its points, whether anybody wants these or not: how far its lane came, what is missing in it, and what was lost.</summary>
internal sealed class DeliveryAccount(StoreOptions options, TimeProvider time)
{
    /// <summary>How far an agent's clock may be ahead of ours.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    /// <summary>Of hours that a wrong clock or a hostile peer makes up there is no account: those of the future would never be forgotten.</summary>
    public bool IsAccounted(DateTimeOffset hour)
    {
        var now = time.GetUtcNow();
        return hour >= now - options.History && hour <= now + Ahead;
    }

    /// <returns>Null: its points belong to no hour.</returns>
    public PointOwner? OwnerOf(PointDelivery delivery) =>
        delivery.SampledAt is { } at && delivery.OnOurClock(PointDelivery.HourOf(at)) is var hour && IsAccounted(hour)
            ? new PointOwner(delivery.InstanceId, hour, delivery.Position.Epoch)
            : null;

    /// <exception cref="BadMessageException">What no agent tells.</exception>
    public Action<StoreTransaction> Prepare(PointDelivery delivery)
    {
        var losses = delivery.Losses().Where(loss => IsAccounted(loss.Hour)).ToList();
        return transaction =>
        {
            transaction.Points.SetWatermark(delivery.InstanceId, delivery.Position);
            if (delivery.Gap is { } gap)
                transaction.LaneGaps.Add(delivery.InstanceId, gap, time.GetUtcNow());
            foreach (var (hour, counts) in losses)
                transaction.PointAccounts.Count(delivery.InstanceId, hour, delivery.Position.Epoch, counts);
            if (delivery.LateSampleAt is { } late)
                transaction.Presence.Sampled(delivery.InstanceId, late, delivery.Sampling);
        };
    }
}
