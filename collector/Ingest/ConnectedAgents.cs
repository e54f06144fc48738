using System.Collections.Concurrent;
using Google.Protobuf;

namespace Telemetry.Collector.Ingest;

/// <summary>Who is connected now: one stream for each instance.</summary>
internal sealed class ConnectedAgents(TimeProvider time)
{
    /// <summary>How many may come back in a second after a planned stop.</summary>
    private const int ReturnsPerSecond = 200;

    private static readonly TimeSpan ShortestReturn = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Connection> _connections = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _draining = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the collector is about to stop: each stream tells its agent and ends.</summary>
    public Task Draining => _draining.Task;

    public bool IsConnected(string instanceId) => _connections.ContainsKey(instanceId);

    /// <summary>When an instance that is connected was last heard of.</summary>
    public DateTimeOffset? LastSeen(string instanceId) =>
        _connections.TryGetValue(instanceId, out var connection) ? connection.LastSeen : null;

    /// <summary>Has the streams of these instances, where they are connected, look whether another policy is in force for them.</summary>
    public void PolicyMayDiffer(IEnumerable<string> instanceIds)
    {
        foreach (var id in instanceIds)
        {
            if (_connections.TryGetValue(id, out var connection))
                connection.PolicyMayDiffer();
        }
    }

    public void Drain() => _draining.TrySetResult();

    /// <summary>When one of those that are connected should come back after a planned stop.</summary>
    /// <param name="place">From 0 to 1, at random.</param>
    public TimeSpan ReturnAfter(double place) =>
        place * (ShortestReturn + TimeSpan.FromSeconds((double)_connections.Count / ReturnsPerSecond));

    /// <summary>Registers a stream. If there is one of that instance it is asked for a sign of life: without one it is ended.</summary>
    /// <exception cref="SecondStreamException">The other stream is alive.</exception>
    public async Task<Connection> EnterAsync(string instanceId, CancellationToken cancellation)
    {
        var connection = new Connection(instanceId, time, Remove);
        while (_connections.GetOrAdd(instanceId, connection) is var current && current != connection)
        {
            if (await current.IsAliveAsync(cancellation))
                throw new SecondStreamException(instanceId);
            current.TakeOver();
            await current.Left.WaitAsync(cancellation);
        }

        return connection;
    }

    private void Remove(Connection connection) =>
        _connections.TryRemove(new KeyValuePair<string, Connection>(connection.InstanceId, connection));

    /// <summary>One agent's stream while it lasts.</summary>
    internal sealed class Connection(string instanceId, TimeProvider time, Action<Connection> leave) : IDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

        private readonly Lock _gate = new();
        private readonly CancellationTokenSource _takenOver = new();
        private readonly TaskCompletionSource _left = NewSignal();
        private volatile TaskCompletionSource _woken = NewSignal();
        private Challenge? _challenge;
        private long _lastSeenTicks = time.GetUtcNow().UtcTicks;
        private int _policyMayDiffer;
        private TimeSpan _worked;
        private long? _workBegan;

        public string InstanceId => instanceId;

        /// <summary>Cancelled when another stream of the same instance takes over.</summary>
        public CancellationToken TakenOver => _takenOver.Token;

        /// <summary>Completes when the stream has ended.</summary>
        public Task Left => _left.Task;

        /// <summary>Completes when there may be something to tell the agent; then there is a new one.</summary>
        public Task Woken => _woken.Task;

        /// <summary>What the agent is to answer; null when nothing, or when it was told.</summary>
        public ByteString? UntoldChallenge
        {
            get
            {
                lock (_gate)
                    return _challenge?.Tell();
            }
        }

        public DateTimeOffset LastSeen
        {
            get => new(Interlocked.Read(ref _lastSeenTicks), TimeSpan.Zero);
            set => Interlocked.Exchange(ref _lastSeenTicks, value.UtcTicks);
        }

        public void PolicyMayDiffer()
        {
            Interlocked.Exchange(ref _policyMayDiffer, 1);
            Wake();
        }

        /// <summary>Whether that was said since it was asked last.</summary>
        public bool TakePolicyMayDiffer() => Interlocked.Exchange(ref _policyMayDiffer, 0) != 0;

        public void TakeOver() => _takenOver.Cancel();

        public void Wake() => Interlocked.Exchange(ref _woken, NewSignal()).SetResult();

        /// <summary>The agent answered a challenge.</summary>
        public void Answered(ByteString nonce)
        {
            lock (_gate)
                _challenge?.Answer(nonce);
        }

        /// <summary>Hands on the answers to a message, and knows meanwhile that it is the collector that takes its time.</summary>
        public async IAsyncEnumerable<T> AtWork<T>(IAsyncEnumerable<T> answers)
        {
            BeginWork();
            try
            {
                await foreach (var answer in answers)
                {
                    EndWork();
                    yield return answer;
                    BeginWork();
                }
            }
            finally
            {
                EndWork();
            }
        }

        /// <summary>Asks the agent for a sign of life, together with whoever else asks now.</summary>
        /// <remarks>While its messages wait for the store it can't be heard: that time does not count.</remarks>
        public async Task<bool> IsAliveAsync(CancellationToken cancellation)
        {
            var challenge = Ask();
            try
            {
                var (asked, worked) = (time.GetTimestamp(), Worked());
                for (var left = Patience; left > TimeSpan.Zero && !challenge.Answered.IsCompleted && !Left.IsCompleted;)
                {
                    await Task.WhenAny(challenge.Answered, Left, Task.Delay(left, time, cancellation));
                    cancellation.ThrowIfCancellationRequested();
                    left = Patience - (time.GetElapsedTime(asked) - (Worked() - worked));
                }

                return challenge.Answered.IsCompleted && !Left.IsCompleted;
            }
            finally
            {
                // Others may still wait for the answer.
                lock (_gate)
                {
                    if (--challenge.Askers == 0)
                        _challenge = null;
                }
            }
        }

        public void Dispose()
        {
            leave(this);
            _left.TrySetResult();
        }

        private Challenge Ask()
        {
            lock (_gate)
            {
                _challenge ??= new Challenge();
                _challenge.Askers++;
                Wake();
                return _challenge;
            }
        }

        private void BeginWork()
        {
            lock (_gate)
                _workBegan ??= time.GetTimestamp();
        }

        private void EndWork()
        {
            lock (_gate)
            {
                if (_workBegan is { } began)
                    _worked += time.GetElapsedTime(began);
                _workBegan = null;
            }
        }

        private TimeSpan Worked()
        {
            lock (_gate)
                return _worked + (_workBegan is { } began ? time.GetElapsedTime(began) : TimeSpan.Zero);
        }

        private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

        private sealed class Challenge
        {
            private readonly ByteString _nonce = ByteString.CopyFrom(Guid.NewGuid().ToByteArray());
            private readonly TaskCompletionSource _answered = NewSignal();
            private bool _isTold;

            /// <summary>Who waits for the answer.</summary>
            public int Askers { get; set; }

            public Task Answered => _answered.Task;

            public ByteString? Tell()
            {
                if (_isTold)
                    return null;
                _isTold = true;
                return _nonce;
            }

            public void Answer(ByteString nonce)
            {
                if (nonce.Equals(_nonce))
                    _answered.TrySetResult();
            }
        }
    }
}

/// <summary>Two machines claim to be one instance, and both are there: a disk was cloned.</summary>
internal sealed class SecondStreamException(string instanceId) : Exception(
    $"Instance '{instanceId}' is connected already and has just shown that it is alive: this machine's disk, or its state directory, is a copy of that one's. Delete the agent's state directory here, and it becomes an instance of its own.")
{
    public string InstanceId => instanceId;
}
