namespace Telemetry.Agent.Scrub;

/// <summary>Lets bytes be read no faster than so many a second: who has read too much waits until the time for it has passed.</summary>
internal sealed class ReadBudget(long bytesPerSecond, TimeProvider clock)
{
    // What was not used in a quiet time is not made up for in a burst.
    private static readonly TimeSpan LongestCredit = TimeSpan.FromSeconds(0.1);

    private readonly long _start = clock.GetTimestamp();
    private TimeSpan _paidUntil;

    /// <summary>Blocks the thread.</summary>
    /// <exception cref="OperationCanceledException">Meanwhile it was called off.</exception>
    public void Spend(int bytes, CancellationToken cancellation)
    {
        var wait = Debt(bytes);
        if (wait > TimeSpan.Zero)
            cancellation.WaitHandle.WaitOne(wait);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Notes bytes that were read.</summary>
    /// <returns>How long to wait before the next; zero or less: not at all.</returns>
    public TimeSpan Debt(int bytes)
    {
        var now = clock.GetElapsedTime(_start);
        if (_paidUntil < now - LongestCredit)
            _paidUntil = now - LongestCredit;
        _paidUntil += TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        return _paidUntil - now;
    }
}
