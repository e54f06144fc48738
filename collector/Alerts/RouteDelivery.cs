using Telemetry.Collector.Deviations;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Alerts;

/// <summary>Delivers the outbox to every route: in order, at least once, each route at its own pace.</summary>
internal sealed partial class RouteDelivery(
    IEnumerable<IAlertRoute> routes, StateStore store, DeviationFeed feed, TimeProvider time, ILogger<RouteDelivery> logger)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stopping) =>
        Task.WhenAll(routes.Select(route =>
            StoreFailures.OutliveAsync(cancellation => DeliverAsync(route, cancellation), time, logger, stopping)));

    private async Task DeliverAsync(IAlertRoute route, CancellationToken stopping)
    {
        var position = Start(route);
        var retry = new RouteRetry(route, time, logger);
        await foreach (var stored in feed.FollowAsync(position, stopping))
        {
            await retry.SendAsync(cancellation => route.SendAsync(stored, cancellation), stopping);
            store.Write(transaction => transaction.Events.SetDelivered(route.Name, stored.Position));
        }
    }

    /// <summary>A new route is told what happens from now on; one that was away from the configuration, what is kept of what happened meanwhile.</summary>
    private long Start(IAlertRoute route) =>
        store.Write(transaction =>
        {
            var position = transaction.Events.DeliveredBy(route.Name) ?? transaction.Events.Last();
            if (transaction.Events.Forgotten() is var forgotten && position < forgotten)
            {
                Log.Forgotten(logger, route.Name);
                position = forgotten;
            }

            transaction.Events.SetDelivered(route.Name, position);
            return position;
        });

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Warning, "Route {Route} was not configured for longer than history is kept: it is told what is left of it, not the events before")]
        public static partial void Forgotten(ILogger logger, string route);
    }
}
