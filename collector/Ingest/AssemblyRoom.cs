namespace Telemetry.Collector.Ingest;

/// <summary>What the unfinished heads of all instances may take together: bytes, and turns to ask for many nodes.</summary>
/// <remarks>
/// Instances that start together from an image nobody knows would all bring the same nodes. Few have a turn at a time; when the
/// next ones have theirs, most of what they lacked is stored.
/// </remarks>
internal sealed class AssemblyRoom(TimeProvider time) : IDisposable
{
    private const int Turns = 4;
    private const long MaxBytes = 512L * 1024 * 1024;

    /// <summary>Who is slower keeps what it has, but others do not wait for it any longer.</summary>
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _turns = new(Turns);
    private long _bytes;

    /// <exception cref="OverloadedException">There is no room now.</exception>
    public void Hold(int bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= MaxBytes)
            return;
        Release(bytes);
        throw new OverloadedException("The collector holds as many nodes of unfinished heads as it can; come back later.");
    }

    public void Dispose() => _turns.Dispose();

    public void Release(int bytes) => Interlocked.Add(ref _bytes, -bytes);

    /// <summary>Asks for a turn.</summary>
    /// <param name="ready">Called once it is there.</param>
    public Ticket Queue(Action ready) => new(_turns, time, ready);

    /// <summary>A turn, or the wait for one. Whoever disposes of it lets the next one have it.</summary>
    internal sealed class Ticket : IDisposable
    {
        private readonly CancellationTokenSource _ended = new();
        private readonly SemaphoreSlim _turns;
        private int _isHeld;

        public Ticket(SemaphoreSlim turns, TimeProvider time, Action ready)
        {
            _turns = turns;
            _ = WaitAsync(time, ready);
        }

        /// <summary>Whether it is, or was, one's turn.</summary>
        public bool HasCome { get; private set; }

        public void Dispose()
        {
            _ended.Cancel();
            GiveBack();
        }

        private async Task WaitAsync(TimeProvider time, Action ready)
        {
            try
            {
                await _turns.WaitAsync(_ended.Token);
                Volatile.Write(ref _isHeld, 1);
                HasCome = true;
                ready();
                await Task.Delay(LongestTurn, time, _ended.Token);
            }
            catch (OperationCanceledException)
            {
                // Nobody waits for it any more.
            }

            GiveBack();
        }

        private void GiveBack()
        {
            if (Interlocked.Exchange(ref _isHeld, 0) != 0)
                _turns.Release();
        }
    }
}

/// <summary>There is no room for what an agent brings; it keeps it and comes back.</summary>
internal sealed class OverloadedException(string message) : Exception(message);
