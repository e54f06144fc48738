namespace Telemetry.Agent.Tests;

/// <summary>The time of day can be set apart from the running time, and both know how often they were asked for.</summary>
internal sealed class SetClock(TimeProvider running) : TimeProvider
{
    private int _asked;

    public int Asked => Volatile.Read(ref _asked);

    /// <summary>How far the time of day was set forward.</summary>
    public TimeSpan Ahead { get; set; }

    public override long TimestampFrequency => running.TimestampFrequency;

    public override DateTimeOffset GetUtcNow()
    {
        Interlocked.Increment(ref _asked);
        return running.GetUtcNow() + Ahead;
    }

    public override long GetTimestamp()
    {
        Interlocked.Increment(ref _asked);
        return running.GetTimestamp();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        running.CreateTimer(callback, state, dueTime, period);
}
