using Telemetry.Collector.Compare;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Deviations;

/// <summary>
/// Has instances judged anew when something of theirs has been unread for too long: no head tells, for nothing changes. What is
/// due is in the store, so a restart loses nothing.
/// </summary>
internal sealed class UnreadTimer(StateStore store, Pipeline pipeline, TimeProvider time, ILogger<UnreadTimer> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private DateTimeOffset _lookedUpTo = DateTimeOffset.UnixEpoch;

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(LookAsync, time, logger, stopping);

    private async Task LookAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            var upTo = time.GetUtcNow() - UnreadEntries.Patience;
            pipeline.Reevaluate(store.Read(transaction => transaction.Unread.InstancesSince(_lookedUpTo, upTo)));
            _lookedUpTo = upTo;
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }
}
