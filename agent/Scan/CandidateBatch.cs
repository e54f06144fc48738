namespace Telemetry.Agent.Scan;

/// <summary>Candidates that follow each other: looked at by one thread, emitted in their order.</summary>
internal sealed class CandidateBatch : IDisposable
{
    // Few enough that one thread does not hold much work while the other has none.
    private const int Capacity = 32;

    private readonly Candidate[] _items = new Candidate[Capacity];
    private readonly ManualResetEventSlim _looked = new();

    public CandidateBatch()
    {
        for (var i = 0; i < Capacity; i++)
            _items[i] = new Candidate();
    }

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    public ReadOnlySpan<Candidate> Items => _items.AsSpan(0, Count);

    public Candidate Next() => _items[Count++];

    public void Look(FileLook look, CancellationToken cancellation)
    {
        foreach (var candidate in Items)
            candidate.Look(look, cancellation);
        _looked.Set();
    }

    public void WaitUntilLooked(CancellationToken cancellation) => _looked.Wait(cancellation);

    /// <summary>Makes the batch empty again.</summary>
    public void Clear()
    {
        foreach (var candidate in Items)
            candidate.Release();
        Count = 0;
        _looked.Reset();
    }

    public void Dispose()
    {
        Clear();
        _looked.Dispose();
    }
}
