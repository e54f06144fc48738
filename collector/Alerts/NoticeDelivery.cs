using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Alerts;

/// <summary>Delivers notices to every route: in order, at least once, each route at its own pace, beside deviations.</summary>
internal sealed class NoticeDelivery(IEnumerable<IAlertRoute> routes, StateStore store, NoticeBoard board, TimeProvider time, ILogger<NoticeDelivery> logger)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stopping) =>
        Task.WhenAll(routes.Select(route =>
            StoreFailures.OutliveAsync(cancellation => DeliverAsync(route, cancellation), time, logger, stopping)));

    private async Task DeliverAsync(IAlertRoute route, CancellationToken stopping)
    {
        var position = Start(route);
        var retry = new RouteRetry(route, time, logger);
        while (true)
        {
            var added = board.Added;
            if (store.Read(transaction => transaction.Notices.After(position)) is not { } notice)
            {
                await added.WaitAsync(stopping);
                continue;
            }

            await retry.SendAsync(cancellation => route.SendAsync(notice, cancellation), stopping);
            position = notice.Id;
            store.Write(transaction => transaction.Notices.SetDelivered(route.Name, position));
        }
    }

    /// <summary>A new route is told what happens from now on.</summary>
    private long Start(IAlertRoute route) =>
        store.Write(transaction =>
        {
            var position = transaction.Notices.DeliveredBy(route.Name) ?? transaction.Notices.LastId();
            transaction.Notices.SetDelivered(route.Name, position);
            return position;
        });
}
