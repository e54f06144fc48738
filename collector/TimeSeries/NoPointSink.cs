using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.TimeSeries;

/// <summary>
/// No time-series store is configured. When an instance sampled while nobody could be told is kept all the same, for it was up then;
/// and that its points, should it send any, were dropped. How far its lane came is kept for when there is a store.
/// </summary>
internal sealed class NoPointSink(StateStore store, StoreOptions options, TimeProvider time) : IPointSink
{
    private readonly DeliveryAccount _account = new(options, time);
    private readonly DeliveryGathering _gathering = new(time);

    public bool IsWanted => false;

    public HeadPosition Watermark(string instanceId) => store.Read(transaction => transaction.Points.Watermark(instanceId));

    public Action<StoreTransaction> Prepare(PointDelivery delivery)
    {
        var points = delivery.CountPoints();
        var owner = points > 0 ? _account.OwnerOf(delivery) : null;
        var account = _account.Prepare(delivery);
        return transaction =>
        {
            account(transaction);
            if (owner is not null)
                transaction.PointAccounts.Count(owner.InstanceId, owner.Hour, owner.Epoch, new PointCounts(0, 0, 0, 0, 0, points));
        };
    }

    public async Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries)
    {
        await _gathering.End();
        await store.WriteAsync(transaction =>
        {
            foreach (var delivery in deliveries)
                delivery(transaction);
        });
    }
}
