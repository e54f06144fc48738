namespace Telemetry.Agent.Scan;

/// <summary>
/// Notices when time of day and running time part: while a machine is suspended only the first goes on (clock_gettime(2),
/// CLOCK_MONOTONIC). So they do when somebody sets the clock.
/// </summary>
internal sealed class ClockGaps(TimeProvider clock)
{
    // Far more than a clock is slewed between two checks, which are seconds apart.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    private DateTimeOffset _utc = clock.GetUtcNow();
    private long _running = clock.GetTimestamp();

    /// <returns>The time of day before the gap; null when there was none since the last check.</returns>
    public DateTimeOffset? Check()
    {
        var before = _utc;
        var gap = clock.GetUtcNow() - before - clock.GetElapsedTime(_running);
        (_utc, _running) = (clock.GetUtcNow(), clock.GetTimestamp());
        if (gap.Duration() <= Tolerance)
            return null;
        return before < _utc ? before : _utc;
    }
}
