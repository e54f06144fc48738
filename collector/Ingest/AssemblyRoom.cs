namespace Telemetry.Collector.Ingest;

/// <summary>What the unfinished heads of all instances may take together: bytes, and turns to ask for many nodes.</summary>
/// <remarks>
/// Instances that start together from an image nobody knows would all bring the same nodes. Few have a turn at a time; when the
/// next ones have theirs, most of what they lacked is stored. When the room is full, who holds most gives way: so a head of a few
/// changes always finds room, and so does one that needs what heads need.
/// </remarks>
internal sealed class AssemblyRoom(TimeProvider time) : IDisposable
{
    private const int Turns = 4;

    private readonly SemaphoreSlim _turns = new(Turns);
    private readonly Lock _gate = new();
    private readonly HashSet<Share> _shares = [];
    private long _bytes;

    /// <summary>Memory of all unfinished heads.</summary>
    public long MaxBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>
    /// What one head may bring, in bytes and in nodes of its own. A million entries are 66,000 nodes of 120 MB; without a limit, a tree
    /// without end would fill the disk before anybody knew that it has none.
    /// </summary>
    public (long Bytes, int Nodes) MaxBrought { get; init; } = (512L * 1024 * 1024, 1_500_000);

    /// <summary>What is stored of unfinished heads.</summary>
    public StagedBytes Staged { get; init; } = new(time);

    /// <summary>What is held now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    /// <summary>Begins a head's share.</summary>
    /// <param name="revoked">Called, on any thread, when it had to give way.</param>
    public Share Open(Action revoked) => new(this, revoked);

    public void Dispose() => _turns.Dispose();

    /// <summary>Asks for a turn.</summary>
    /// <param name="ready">Called once it is there.</param>
    public Ticket Queue(Action ready) => new(_turns, time, ready);

    private void MakeRoom(Share share, int bytes)
    {
        var most = _shares.MaxBy(other => other.Bytes);
        if (most is null || most == share || most.Bytes <= share.Bytes + bytes)
            throw new OverloadedException("The collector holds as many nodes of unfinished heads as it can; come back later.");
        Forget(most);
        most.Revoke();
    }

    private void Forget(Share share)
    {
        _shares.Remove(share);
        _bytes -= share.Bytes;
    }

    /// <summary>What one unfinished head holds.</summary>
    internal sealed class Share(AssemblyRoom room, Action revoked) : IDisposable
    {
        private bool _isRevoked;

        public long Bytes { get; private set; }

        /// <exception cref="OverloadedException">There is no room now, or this one had to give way.</exception>
        public void Hold(int bytes)
        {
            lock (room._gate)
            {
                Check();
                if (room._bytes + bytes > room.MaxBytes)
                    room.MakeRoom(this, bytes);
                room._shares.Add(this);
                room._bytes += bytes;
                Bytes += bytes;
            }
        }

        public void Release(int bytes)
        {
            lock (room._gate)
            {
                if (!_isRevoked)
                    room._bytes -= bytes;
                Bytes -= bytes;
            }
        }

        /// <exception cref="OverloadedException">It had to give way.</exception>
        public void Check()
        {
            if (Volatile.Read(ref _isRevoked))
                throw new OverloadedException("The collector has no room for a head that holds so many nodes; come back later.");
        }

        public void Revoke()
        {
            Volatile.Write(ref _isRevoked, true);
            revoked();
        }

        public void Dispose()
        {
            lock (room._gate)
            {
                if (!_isRevoked)
                    room.Forget(this);
                Bytes = 0;
            }
        }
    }

    /// <summary>A turn, or the wait for one. Whoever disposes of it lets the next one have it.</summary>
    internal sealed class Ticket : IDisposable
    {
        /// <summary>Who is slower keeps what it has, but others do not wait for it any longer.</summary>
        private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

        // Nor for who brings hardly anything: at this rate a first contact takes an hour.
        private const int LeastBytes = 64 * 1024;
        private static readonly TimeSpan LeastTime = TimeSpan.FromSeconds(5);

        private readonly CancellationTokenSource _ended = new();
        private readonly SemaphoreSlim _turns;
        private int _isHeld;
        private int _brought;

        public Ticket(SemaphoreSlim turns, TimeProvider time, Action ready)
        {
            _turns = turns;
            _ = WaitAsync(time, ready);
        }

        /// <summary>Whether it is, or was, one's turn.</summary>
        public bool HasCome { get; private set; }

        /// <summary>Nodes that were asked for have come.</summary>
        public void Brought(int bytes) => Interlocked.Add(ref _brought, bytes);

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
                var began = time.GetTimestamp();
                do
                    await Task.Delay(LeastTime, time, _ended.Token);
                while (Interlocked.Exchange(ref _brought, 0) >= LeastBytes && time.GetElapsedTime(began) < Longest);
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

/// <summary>An agent announced a head and does not bring its nodes.</summary>
internal sealed class StalledHeadException(TimeSpan time) : Exception(
    $"The nodes of the announced head did not come for {time.TotalSeconds:F0} s. It is withdrawn; announce the current one on another stream.");
