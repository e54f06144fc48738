using Telemetry.Collector.Alerts;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>Forgets what is older than history is kept, and the nodes that only it had. What an instance is now is always kept.</summary>
/// <param name="routes">What these have not delivered yet is kept, however old it is.</param>
internal sealed partial class HistoryRetention(
    StateStore store, IEnumerable<IAlertRoute> routes, StoreOptions options, TimeProvider time, ILogger<HistoryRetention> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    /// <summary>Rows at a time, so that heads need not wait long for the store.</summary>
    private const int Batch = 1_000;

    /// <summary>That are looked up at a time: for each time all instances are gone through.</summary>
    private const int RowsPerRead = 100_000;

    private readonly NodeSweep _sweep = new(store);

    /// <summary>Forgets now what is due.</summary>
    public void Forget(CancellationToken stopping)
    {
        var boundary = time.GetUtcNow() - options.History;
        var heads = DeleteFound(transaction => transaction.Heads.Superseded(boundary, RowsPerRead), (transaction, ids) => transaction.Heads.Delete(ids), stopping);
        var deviations = DeleteFound(
            transaction => transaction.Deviations.ClosedBefore(boundary, RowsPerRead), (transaction, ids) => transaction.Deviations.Delete(ids), stopping);
        var told = store.Read(transaction => transaction.Events.DeliveredByAll(routes.Select(route => route.Name)));
        Delete(transaction => transaction.Events.DeleteBefore(boundary, told, Batch), stopping);
        Delete(transaction => transaction.Scopes.DeleteUnreferenced(Batch), stopping);
        Delete(transaction => transaction.Presence.DeleteBefore(boundary, Batch), stopping);
        Delete(transaction => transaction.PointAccounts.DeleteBefore(boundary, Batch), stopping);
        Delete(transaction => transaction.Rejections.DeleteBefore(boundary, Batch), stopping);
        Delete(transaction => transaction.LaneGaps.DeleteBefore(boundary, Batch), stopping);
        var nodes = Sweep(stopping);
        if (heads + deviations + nodes > 0)
            Log.Forgot(logger, heads, deviations, boundary, nodes);
    }

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(ForgetAsync, time, logger, stopping);

    private async Task ForgetAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            Forget(stopping);
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    /// <summary>Found in a read, so that nothing waits for that; what is added meanwhile changes nothing about these.</summary>
    private long DeleteFound(
        Func<StoreTransaction, IReadOnlyList<long>> find, Func<StoreTransaction, IReadOnlyList<long>, int> delete, CancellationToken stopping)
    {
        var deleted = 0L;
        while (!stopping.IsCancellationRequested && store.Read(find) is { Count: > 0 } ids)
        {
            foreach (var batch in ids.Chunk(Batch).TakeWhile(_ => !stopping.IsCancellationRequested))
                deleted += store.Write(transaction => delete(transaction, batch));
        }

        return deleted;
    }

    /// <summary>Of a damaged store nothing is removed: what is still reached can't be told.</summary>
    private long Sweep(CancellationToken stopping)
    {
        try
        {
            return _sweep.Run(stopping);
        }
        catch (Exception e) when (e is DamagedNodeException or NodeMissingException)
        {
            Log.NotSwept(logger, e.Message);
            return 0;
        }
    }

    private long Delete(Func<StoreTransaction, int> delete, CancellationToken stopping)
    {
        var deleted = 0L;
        while (!stopping.IsCancellationRequested && store.Write(delete) is var count and > 0)
            deleted += count;
        return deleted;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Forgot {Heads} states that were superseded and {Deviations} deviations that were closed before {Boundary:O}, and {Nodes} nodes of trees that nothing refers to any more")]
        public static partial void Forgot(ILogger logger, long heads, long deviations, DateTimeOffset boundary, long nodes);

        [LoggerMessage(2, LogLevel.Error, "No nodes are removed. {Reason}")]
        public static partial void NotSwept(ILogger logger, string reason);
    }
}
