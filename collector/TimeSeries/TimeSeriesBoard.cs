namespace Telemetry.Collector.TimeSeries;

/// <summary>How the store of points does, for whoever asks.</summary>
/// <param name="Trouble">Why it takes no points now; null: it takes them, as far as known.</param>
/// <param name="Since">When that began.</param>
/// <param name="WrittenAt">When it last took some; null: not since the start.</param>
/// <param name="SetAside">Points that it will never take, since the start.</param>
internal sealed record TimeSeriesState(WriteDecision? Trouble, DateTimeOffset Since, DateTimeOffset? WrittenAt, long SetAside)
{
    /// <summary>What the last test found; null: it is not done.</summary>
    public StoreVerdict? Verdict { get; init; }

    /// <summary>Texts that the store does not keep, of points that it has, since the start.</summary>
    public long LeftOut { get; init; }
}

/// <summary>Where the writer and the test note how the store does.</summary>
internal sealed class TimeSeriesBoard(TimeProvider time)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _returned = NewSignal();
    private TimeSeriesState _state = new(null, time.GetUtcNow(), null, 0);

    public TimeSeriesState State
    {
        get
        {
            lock (_gate)
                return _state;
        }
    }

    /// <summary>Completes when, after it was read, the store takes points again that took none.</summary>
    public Task Returned
    {
        get
        {
            lock (_gate)
                return _returned.Task;
        }
    }

    /// <returns>Whether it took none before.</returns>
    public bool Works()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var hasReturned = _state.Trouble is not null;
            _state = _state with { Trouble = null, Since = hasReturned ? now : _state.Since, WrittenAt = now };
            if (hasReturned)
            {
                _returned.SetResult();
                _returned = NewSignal();
            }

            return hasReturned;
        }
    }

    /// <returns>Whether that is news: it worked before, or had another trouble.</returns>
    public bool Fails(WriteDecision trouble)
    {
        lock (_gate)
        {
            var isNew = _state.Trouble?.Action != trouble.Action;
            _state = _state with { Trouble = trouble, Since = isNew ? time.GetUtcNow() : _state.Since };
            return isNew;
        }
    }

    public void CountSetAside(long points)
    {
        lock (_gate)
            _state = _state with { SetAside = _state.SetAside + points };
    }

    public void CountLeftOut(long texts)
    {
        lock (_gate)
            _state = _state with { LeftOut = _state.LeftOut + texts };
    }

    public void Note(StoreVerdict verdict)
    {
        lock (_gate)
            _state = _state with { Verdict = verdict };
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
