using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Causes;

/// <summary>Drops change records that nobody will ask for any more, and the actors, transactions and causes that nothing names.</summary>
internal sealed class ChangeRetention(StateStore store, TimeProvider time, ILogger<ChangeRetention> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>At a time, so that heads need not wait long for the store.</summary>
    private const int Batch = 10_000;

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(DropAsync, time, logger, stopping);

    private async Task DropAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            Drop(stopping);
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private void Drop(CancellationToken stopping)
    {
        var before = time.GetUtcNow() - ChangeTable.Retention;
        while (!stopping.IsCancellationRequested && store.Write(transaction => transaction.Changes.DeleteBefore(before, Batch)) == Batch)
        {
        }

        store.Write(transaction =>
        {
            transaction.Actors.DeleteUnused();
            transaction.PackageTransactions.DeleteUnused();
            transaction.Causes.DeleteUnused();
        });
    }
}
