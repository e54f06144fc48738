using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Ingest;

/// <summary>Notes that this collector runs, so that sessions end at the right time though it is killed; and whether its store is the one it had.</summary>
internal sealed partial class PresenceKeeper(
    StateStore store, AliveFile file, Departures departures, TimeProvider time, ILogger<PresenceKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Before any agent is let in.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await store.WriteAsync(transaction =>
        {
            transaction.Presence.EndAll();
            transaction.Collector.Started();
            if (file.Read() is { } last && last > (transaction.Collector.AliveAt() ?? DateTimeOffset.MinValue) && transaction.Collector.Returned(now))
                Log.Returned(logger, last, transaction.Collector.AliveAt());
        });
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(NoteAsync, time, logger, stopping);

    private async Task NoteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            var now = time.GetUtcNow();
            await departures.SettleAsync(transaction => transaction.Presence.Alive(now));
            file.Write(now);
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "This collector ran until {Last:O}, and its store until {Store:O} only: it was put back to an older copy. Agents tell their states again; what was decided since that copy is gone. New deviations get ids that were never used")]
        public static partial void Returned(ILogger logger, DateTimeOffset last, DateTimeOffset? store);
    }
}
