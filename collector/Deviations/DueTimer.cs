using Telemetry.Collector.Compare;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Deviations;

/// <summary>
/// Has instances judged anew when time alone says something new: an entry has been unread for too long, a waiver has ended. No head
/// tells, for nothing changes. And those that still wait for it since what judges them changed, though whoever changed it is gone. What
/// is due is in the store, so a restart loses nothing.
/// </summary>
internal sealed class DueTimer(StateStore store, Pipeline pipeline, DeviationFeed feed, TimeProvider time, ILogger<DueTimer> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private DateTimeOffset _lookedUpTo = DateTimeOffset.UnixEpoch;

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(LookAsync, time, logger, stopping);

    private async Task LookAsync(CancellationToken stopping)
    {
        for (var looked = DateTimeOffset.MaxValue; ;)
        {
            var now = time.GetUtcNow();
            if (now < looked)
                BeginAnew(now);
            looked = now;
            var upTo = now - UnreadEntries.Patience;
            pipeline.JudgePending();
            pipeline.Reevaluate(store.Read(transaction =>
                transaction.Unread.InstancesSince(_lookedUpTo, upTo).Union(transaction.Deviations.InstancesDecidedUntil(now)).ToList()));
            _lookedUpTo = upTo;
            await WaitAsync(now, stopping);
        }
    }

    /// <summary>It was just started, and whoever did that may have repaired what kept some from being judged. Or the clock was set back: nothing waits for the time that was.</summary>
    private void BeginAnew(DateTimeOffset now) => store.Write(transaction =>
    {
        transaction.Pending.Retry();
        transaction.Unread.NoneAfter(now);
    });

    /// <summary>Waits for an interval, or until the next decision ends if that is earlier: one may be taken meanwhile. Less if the clock is set back.</summary>
    /// <param name="looked">What ended until then was looked at, whatever came of it.</param>
    private async Task WaitAsync(DateTimeOffset looked, CancellationToken stopping)
    {
        var until = looked + Interval;
        while (true)
        {
            // Taken before the look, so that what is decided in between is not slept through.
            var committed = feed.Committed;
            var due = store.Read(transaction => transaction.Deviations.NextEndOfDecision(looked)) is { } end && end < until ? end : until;
            var now = time.GetUtcNow();
            var left = due - now;
            if (left <= TimeSpan.Zero || now < looked)
                return;

            using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Task.WhenAny(committed, Task.Delay(left, time, ending.Token));
            await ending.CancelAsync();
            stopping.ThrowIfCancellationRequested();
        }
    }
}
