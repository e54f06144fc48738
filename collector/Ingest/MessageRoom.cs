namespace Telemetry.Collector.Ingest;

/// <summary>What the messages of all streams may take together, in bytes, while they are worked on or wait for the store.</summary>
/// <remarks>
/// Who comes when it is full waits for its turn, and reads nothing meanwhile; so does, in the end, the agent. A slow store slows agents
/// down, and does not fill the memory.
/// </remarks>
internal sealed class MessageRoom
{
    private readonly Lock _gate = new();
    private readonly Queue<(int Bytes, TaskCompletionSource Entered)> _waiting = [];
    private long _bytes;

    public long MaxBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>What is taken now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    /// <summary>How many wait.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <summary>Completes when there is room for a message, which is taken then.</summary>
    public Task EnterAsync(int bytes)
    {
        lock (_gate)
        {
            if (_waiting.Count == 0 && HasRoom(bytes))
            {
                _bytes += bytes;
                return Task.CompletedTask;
            }

            var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue((bytes, entered));
            return entered.Task;
        }
    }

    public void Leave(long bytes)
    {
        lock (_gate)
        {
            _bytes -= bytes;
            while (_waiting.TryPeek(out var next) && HasRoom(next.Bytes))
            {
                _waiting.Dequeue();
                _bytes += next.Bytes;
                next.Entered.SetResult();
            }
        }
    }

    // One that is longer than all room has it alone.
    private bool HasRoom(int bytes) => _bytes + bytes <= MaxBytes || _bytes == 0;
}
