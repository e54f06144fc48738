using Telemetry.Collector.Compare;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Deviations;

/// <summary>
/// Has instances judged anew when time alone says something new: an entry has been unread for too long, a waiver has ended. No head
/// tells, for nothing changes. And those that still wait for it since what judges them changed, though whoever changed it is gone. What
/// is due is in the store, so a restart loses nothing.
/// </summary>
internal sealed class DueTimer(StateStore store, Pipeline pipeline, TimeProvider time, ILogger<DueTimer> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private DateTimeOffset _lookedUpTo = DateTimeOffset.UnixEpoch;

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(LookAsync, time, logger, stopping);

    private async Task LookAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);

        // Whoever starts it may have repaired what kept some from being judged.
        store.Write(transaction => transaction.Pending.Retry());
        do
        {
            var now = time.GetUtcNow();
            var upTo = now - UnreadEntries.Patience;
            pipeline.JudgePending();
            pipeline.Reevaluate(store.Read(transaction =>
                transaction.Unread.InstancesSince(_lookedUpTo, upTo).Union(transaction.Deviations.InstancesDecidedUntil(now)).ToList()));
            _lookedUpTo = upTo;
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }
}
