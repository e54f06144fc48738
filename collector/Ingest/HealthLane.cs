using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Ingest;

/// <summary>The health lane of one stream: its batches are stored in order, while the stream goes on with what is more urgent.</summary>
/// <remarks>
/// One write at a time; what comes meanwhile makes the next one. So no batch is stored without those before it. It goes on by itself:
/// the stream may be waiting for the very room that its batches take.
/// </remarks>
internal sealed class HealthLane(IPointSink points, MessageRoom messages, HeadPosition watermark)
{
    // Agents have fewer on their way. Who sends more waits, and so does all else that it sends.
    private const int MostWaiting = 32;
    private const int MostBytesWaiting = 1024 * 1024;

    private readonly Lock _gate = new();
    private List<Action<StoreTransaction>> _waiting = [];
    private HeadPosition _stored = watermark;
    private long _bytesWaiting;
    private Task _writing = Task.CompletedTask, _write = Task.CompletedTask;
    private bool _isWriting, _hasFailed;

    /// <summary>The last that was taken in, stored or not.</summary>
    public HeadPosition Taken { get; private set; } = watermark;

    /// <summary>The last that is stored.</summary>
    public HeadPosition Watermark
    {
        get
        {
            lock (_gate)
                return _stored;
        }
    }

    /// <summary>Called, on any thread, when some are stored, or can't be.</summary>
    public required Action Advanced { get; init; }

    /// <param name="batch">As it will be stored.</param>
    /// <param name="position">Behind all that were taken in.</param>
    /// <param name="bytes">Of the room for messages, which it has until it is stored.</param>
    public async Task TakeAsync(Action<StoreTransaction> batch, HeadPosition position, int bytes)
    {
        Task enough;
        lock (_gate)
        {
            _waiting.Add(batch);
            _bytesWaiting += bytes;
            Taken = position;
            if (!_isWriting && !_hasFailed)
            {
                _isWriting = true;
                _writing = WriteAllAsync();
            }

            enough = _waiting.Count > MostWaiting || _bytesWaiting > MostBytesWaiting ? _write : Task.CompletedTask;
        }

        await enough;
        await CheckAsync();
    }

    /// <exception cref="StoreException">The disk failed; what is not stored is not acknowledged.</exception>
    public Task CheckAsync()
    {
        lock (_gate)
            return _hasFailed ? _writing : Task.CompletedTask;
    }

    /// <summary>Completes when nothing is written any more. What waited is left: it was not acknowledged, and comes again.</summary>
    public async Task EndAsync()
    {
        Drop();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WriteAllAsync()
    {
        try
        {
            while (Next() is { } next)
            {
                try
                {
                    await next.Write;
                }
                finally
                {
                    messages.Leave(next.Bytes);
                }

                lock (_gate)
                    _stored = next.Last;
                Advanced();
            }
        }
        catch
        {
            lock (_gate)
                _hasFailed = true;
            Drop();
            Advanced();
            throw;
        }
    }

    private (Task Write, HeadPosition Last, long Bytes)? Next()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _isWriting = false;
                return null;
            }

            var (batches, bytes) = (_waiting, _bytesWaiting);
            (_waiting, _bytesWaiting) = ([], 0);
            _write = points.AddAsync(batches);
            return (_write, Taken, bytes);
        }
    }

    private void Drop()
    {
        lock (_gate)
        {
            messages.Leave(_bytesWaiting);
            (_waiting, _bytesWaiting) = ([], 0);
        }
    }
}
