using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Ingest;

/// <summary>Notes that this collector runs, so that sessions end at the right time though it is killed.</summary>
internal sealed class PresenceKeeper(StateStore store, Departures departures, TimeProvider time, ILogger<PresenceKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Before any agent is let in.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.WriteAsync(transaction => transaction.Presence.EndAll());
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(NoteAsync, time, logger, stopping);

    private async Task NoteAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await departures.SettleAsync(transaction => transaction.Presence.Alive(time.GetUtcNow()));
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }
}
