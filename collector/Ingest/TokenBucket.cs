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

    private void Fill()
    {
        _tokens = Math.Min(_burst, _tokens + (time.GetElapsedTime(_filledAt).TotalSeconds * perSecond));
        _filledAt = time.GetTimestamp();
    }
}

/// <summary>More of something than any agent sends; it comes back later.</summary>
internal sealed class FloodException(string what) : Exception($"More {what} than any agent sends; come back later.");
