using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Causes;

/// <summary>Drops change records that nobody will ask for any more, and the actors, transactions and causes that nothing names.</summary>
internal sealed class ChangeRetention(StateStore store, TimeProvider time, ILogger<ChangeRetention> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>At a time, so that heads need not wait long for the store.</summary>
    private const int Batch = 1_000;

    /// <summary>Drops now what is due.</summary>
    public void Drop(CancellationToken stopping)
    {
        var before = time.GetUtcNow() - ChangeTable.Retention;
        while (!stopping.IsCancellationRequested && store.Write(transaction => transaction.Changes.DeleteBefore(before, Batch)) == Batch)
        {
        }

        DropUnused(transaction => transaction.Actors.Unused(), (transaction, ids) => transaction.Actors.DeleteUnused(ids), stopping);
        DropUnused(transaction => transaction.PackageTransactions.Unused(), (transaction, ids) => transaction.PackageTransactions.DeleteUnused(ids), stopping);
        DropUnused(transaction => transaction.Causes.Unused(), (transaction, ids) => transaction.Causes.DeleteUnused(ids), stopping);
    }

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

    /// <summary>Looked for in a read, for that looks at all of them; one that is named again meanwhile stays.</summary>
    private void DropUnused(Func<StoreTransaction, IReadOnlyList<long>> find, Action<StoreTransaction, long[]> delete, CancellationToken stopping)
    {
        foreach (var ids in store.Read(find).Chunk(Batch).TakeWhile(_ => !stopping.IsCancellationRequested))
            store.Write(transaction => delete(transaction, ids));
    }
}
