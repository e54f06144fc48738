using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Telemetry.Collector.Storage;

/// <summary>
/// The one writer: a thread that runs what is queued. What waits together commits together, so that many acknowledgements cost one
/// wait for the disk. A work that fails leaves no trace and harms no other.
/// </summary>
internal sealed class StoreWriter : IDisposable
{
    // The first of them waits for the last; most take well below a millisecond.
    private const int MostTogether = 256;

    // Who comes then waits, and with it the agent whose message it is.
    private const int MostQueued = 1024;

    private const string Savepoint = "work";

    private readonly SqliteConnection _connection;
    private readonly Channel<Work> _queue = Channel.CreateBounded<Work>(new BoundedChannelOptions(MostQueued) { SingleReader = true });
    private readonly Thread _thread;

    /// <param name="connection">Its own from now on.</param>
    public StoreWriter(SqliteConnection connection)
    {
        _connection = connection;
        _thread = new Thread(Run) { IsBackground = true, Name = "store" };
        _thread.Start();
    }

    /// <returns>Completes when what the work did is on disk; fails with what the work threw, or when the disk failed.</returns>
    public async Task<T> RunAsync<T>(Func<StoreTransaction, T> work)
    {
        var queued = new Work<T>(work);
        try
        {
            await _queue.Writer.WriteAsync(queued);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(StoreWriter));
        }

        return await queued.Done;
    }

    /// <summary>What is queued is still written.</summary>
    public void Dispose()
    {
        _queue.Writer.TryComplete();
        _thread.Join();
        _connection.Dispose();
    }

    private void Run()
    {
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            var works = new List<Work>();
            try
            {
                RunTogether(works);
            }
            catch (Exception e)
            {
                // Nothing of them was written.
                foreach (var work in works)
                    work.Fail(StoreException.IsDiskFailure(e) ? new StoreException(e) : e);
                continue;
            }

            foreach (var work in works)
                work.Complete();
        }
    }

    private void RunTogether(List<Work> works)
    {
        // Before the transaction: should that not begin, they are the ones to be told.
        while (works.Count < MostTogether && _queue.Reader.TryRead(out var work))
            works.Add(work);

        using var transaction = _connection.BeginTransaction();
        using var tables = new StoreTransaction(_connection, transaction);
        foreach (var work in works)
        {
            transaction.Save(Savepoint);
            try
            {
                work.Run(tables);
            }
            catch (Exception e) when (!StoreException.IsDiskFailure(e))
            {
                work.Fail(e);
                transaction.Rollback(Savepoint);
            }

            transaction.Release(Savepoint);
        }

        transaction.Commit();
    }

    private abstract class Work
    {
        public abstract void Run(StoreTransaction transaction);

        public abstract void Complete();

        public abstract void Fail(Exception reason);
    }

    private sealed class Work<T>(Func<StoreTransaction, T> work) : Work
    {
        // Whoever waits goes on on another thread than the writer's.
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _result = default!;

        public Task<T> Done => _done.Task;

        public override void Run(StoreTransaction transaction) => _result = work(transaction);

        public override void Complete() => _done.TrySetResult(_result);

        public override void Fail(Exception reason) => _done.TrySetException(reason);
    }
}
