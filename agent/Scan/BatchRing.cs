using System.Collections.Concurrent;

namespace Telemetry.Agent.Scan;

/// <summary>
/// A fixed number of batches going round: free, being filled by the walker, waiting for a worker and for their turn to be
/// emitted, free again. Who is too fast waits for a free batch.
/// </summary>
internal sealed class BatchRing : IDisposable
{
    private readonly BlockingCollection<CandidateBatch> _free = [];
    private readonly BlockingCollection<CandidateBatch> _toLook = [];
    private readonly BlockingCollection<CandidateBatch> _toEmit = [];
    private CandidateBatch? _filling;

    public BatchRing(int batches)
    {
        for (var i = 0; i < batches; i++)
            _free.Add(new CandidateBatch());
    }

    /// <summary>The walker's end: room for one more candidate.</summary>
    public Candidate Next(CancellationToken cancellation)
    {
        if (_filling is { IsFull: true })
            PassOn();
        _filling ??= _free.Take(cancellation);
        return _filling.Next();
    }

    /// <summary>The walker is at the end.</summary>
    public void Complete()
    {
        if (_filling is not null)
            PassOn();
        _toLook.CompleteAdding();
        _toEmit.CompleteAdding();
    }

    public IEnumerable<CandidateBatch> ToLook(CancellationToken cancellation) => _toLook.GetConsumingEnumerable(cancellation);

    public IEnumerable<CandidateBatch> ToEmit(CancellationToken cancellation) => _toEmit.GetConsumingEnumerable(cancellation);

    public void Return(CandidateBatch batch)
    {
        batch.Clear();
        _free.Add(batch);
    }

    /// <summary>After all threads have ended, however they did.</summary>
    public void Dispose()
    {
        _filling?.Dispose();
        foreach (var batch in _free.Concat(_toEmit))
            batch.Dispose();
        _free.Dispose();
        _toLook.Dispose();
        _toEmit.Dispose();
    }

    private void PassOn()
    {
        _toEmit.Add(_filling!);
        _toLook.Add(_filling!);
        _filling = null;
    }
}
