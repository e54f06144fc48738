namespace Telemetry.Collector.Ingest;

/// <summary>How often something may happen: so many at once, and at a rate in the long run.</summary>
/// <remarks>Not for two threads at once.</remarks>
internal sealed class TokenBucket(TimeProvider time, double perSecond, double burst)
{
    private readonly double _burst = burst;
    private double _tokens = burst;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Whether nothing of it is used.</summary>
    public bool IsFull
    {
        get
        {
            Fill();
            return _tokens >= _burst;
        }
    }

    /// <param name="times">As much as that, or nothing.</param>
    public bool TryTake(int times = 1)
    {
        Fill();
        if (_tokens < times)
            return false;
        _tokens -= times;
        return true;
    }

    /// <summary>For what happened already, whether it may or not: then nothing may until the rest is paid.</summary>
    public void Take(int times)
    {
        Fill();
        _tokens -= times;
    }

    /// <summary>How long it takes until what was taken too much is paid; zero: nothing was.</summary>
    public TimeSpan Debt
    {
        get
        {
            Fill();
            return _tokens < 0 ? TimeSpan.FromSeconds(-_tokens / perSecond) : TimeSpan.Zero;
        }
    }

    private void Fill()
    {
        _tokens = Math.Min(_burst, _tokens + (time.GetElapsedTime(_filledAt).TotalSeconds * perSecond));
        _filledAt = time.GetTimestamp();
    }
}

/// <summary>More of something than any agent sends; it comes back later.</summary>
internal sealed class FloodException(string what) : Exception($"More {what} than any agent sends; come back later.");
