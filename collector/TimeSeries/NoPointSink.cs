using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.TimeSeries;

/// <summary>
/// No time-series store is configured. When an instance sampled while nobody could be told is kept all the same, for it was up then;
/// and that its points, should it send any, were dropped.
/// </summary>
internal sealed class NoPointSink(StateStore store) : IPointSink
{
    private static readonly Action<StoreTransaction> Nothing = static _ => { };

    public bool IsWanted => false;

    public HeadPosition Watermark(string instanceId) => default;

    public Action<StoreTransaction> Prepare(PointDelivery delivery)
    {
        var points = delivery.CountPoints();
        var losses = delivery.Losses();
        if (points == 0 && losses.Count == 0 && delivery.LateSampleAt is null)
            return Nothing;

        return transaction =>
        {
            if (points > 0 && delivery.SampledAt is { } at)
                transaction.PointAccounts.Count(delivery.InstanceId, PointDelivery.HourOf(at), delivery.Position.Epoch, new PointCounts(0, 0, 0, 0, 0, points));
            foreach (var (hour, counts) in losses)
                transaction.PointAccounts.Count(delivery.InstanceId, hour, delivery.Position.Epoch, counts);
            if (delivery.LateSampleAt is { } late)
                transaction.Presence.Sampled(delivery.InstanceId, late, delivery.Sampling);
        };
    }

    public Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries) => deliveries.All(delivery => delivery == Nothing)
        ? Task.CompletedTask
        : store.WriteAsync(transaction =>
        {
            foreach (var delivery in deliveries)
                delivery(transaction);
        });
}
