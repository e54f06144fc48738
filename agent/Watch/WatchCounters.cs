namespace Telemetry.Agent.Watch;

/// <summary>What the watch has done since the agent started. Written by the threads that watch, read by anybody.</summary>
internal sealed class WatchCounters
{
    private long _events, _overflows;
    private volatile int _watches;

    /// <summary>Events the kernel told; of several changes of one name it may tell one.</summary>
    public long Events => Interlocked.Read(ref _events);

    /// <summary>How often the kernel had more to tell than it kept.</summary>
    public long Overflows => Interlocked.Read(ref _overflows);

    /// <summary>Directories that are watched one by one.</summary>
    public int Watches
    {
        get => _watches;
        set => _watches = value;
    }

    public void Event() => Interlocked.Increment(ref _events);

    public void Overflow() => Interlocked.Increment(ref _overflows);
}
