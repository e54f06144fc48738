using System.Runtime.CompilerServices;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Deviations;

/// <summary>Lets subscriptions and alert routes follow the outbox: reads from the store, woken when something was committed.</summary>
internal sealed class DeviationFeed(StateStore store)
{
    private const int PageSize = 500;

    private volatile TaskCompletionSource _committed = NewSignal();

    /// <summary>Completes at the next commit that wrote events.</summary>
    public Task Committed => _committed.Task;

    public long Last() => store.Read(transaction => transaction.Events.Last());

    /// <summary>Called after a commit that wrote events.</summary>
    public void Wake() => Interlocked.Exchange(ref _committed, NewSignal()).SetResult();

    /// <summary>Every event behind a position, then each new one, without end.</summary>
    public async IAsyncEnumerable<StoredEvent> FollowAsync(long position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            // Taken before the read, so that a commit in between is not slept through.
            var committed = _committed.Task;
            var page = store.Read(transaction => transaction.Events.After(position, PageSize));
            foreach (var stored in page)
            {
                yield return stored;
                position = stored.Position;
            }

            if (page.Count == 0)
                await committed.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
