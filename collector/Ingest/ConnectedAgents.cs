using System.Collections.Concurrent;

namespace Telemetry.Collector.Ingest;

/// <summary>Who is connected now. A second stream of one identity takes over from the first.</summary>
internal sealed class ConnectedAgents
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

    /// <summary>Registers a stream; an earlier one of the same instance is told to end.</summary>
    public Connection Enter(string instanceId, DateTimeOffset now)
    {
        var connection = new Connection(this, instanceId) { LastSeen = now };
        Connection? earlier = null;
        _connections.AddOrUpdate(instanceId, connection, (_, current) =>
        {
            earlier = current;
            return connection;
        });
        earlier?.TakeOver();
        return connection;
    }

    /// <summary>One agent's stream while it lasts.</summary>
    internal sealed class Connection(ConnectedAgents owner, string instanceId) : IDisposable
    {
        private readonly CancellationTokenSource _takenOver = new();
        private volatile TaskCompletionSource _policyMayDiffer = NewSignal();
        private long _lastSeenTicks;

        /// <summary>Cancelled when another stream of the same instance takes over.</summary>
        public CancellationToken TakenOver => _takenOver.Token;

        /// <summary>Completes when another policy may be in force; then there is a new one.</summary>
        public Task PolicySignal => _policyMayDiffer.Task;

        public DateTimeOffset LastSeen
        {
            get => new(Interlocked.Read(ref _lastSeenTicks), TimeSpan.Zero);
            set => Interlocked.Exchange(ref _lastSeenTicks, value.UtcTicks);
        }

        public void TakeOver() => _takenOver.Cancel();

        public void PolicyMayDiffer() => Interlocked.Exchange(ref _policyMayDiffer, NewSignal()).SetResult();

        public void Dispose()
        {
            owner._connections.TryRemove(new KeyValuePair<string, Connection>(instanceId, this));
        }

        private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
