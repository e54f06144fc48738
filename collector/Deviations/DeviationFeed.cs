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
    /// <exception cref="ForgottenEventsException">Events behind the position are forgotten.</exception>
    public async IAsyncEnumerable<StoredEvent> FollowAsync(long position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            // Taken before the read, so that a commit in between is not slept through.
            var committed = _committed.Task;
            var page = After(position);
            foreach (var stored in page)
            {
                yield return stored;
                position = stored.Position;
            }

            if (page.Count == 0)
                await committed.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>The next events behind a position, as many as are read at a time.</summary>
    /// <exception cref="ForgottenEventsException">Events behind the position are forgotten.</exception>
    public IReadOnlyList<StoredEvent> After(long position) =>
        store.Read(transaction => transaction.Events.Forgotten() > position
            ? throw new ForgottenEventsException()
            : transaction.Events.After(position, PageSize));

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Somebody follows from where nothing is kept any more.</summary>
internal sealed class ForgottenEventsException()
    : Exception("Events behind this cursor are older than history is kept, and forgotten; leave it out, and list what is open.");
