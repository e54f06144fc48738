namespace Telemetry.FleetSimulator;

/// <summary>What the fleet met with. Written by all agents.</summary>
internal sealed class FleetStatistics
{
    private long _connected, _connects, _refused, _broken, _points;

    public FleetStatistics(TimeProvider clock) => Changes = new Changes(Deviations, clock);

    /// <summary>From the announcement of a head to its ack.</summary>
    public Latencies Heads { get; } = new();

    /// <summary>From a batch of metrics to its ack.</summary>
    public Latencies Health { get; } = new();

    /// <summary>From a change to its deviation's transition, at a subscriber.</summary>
    public Latencies Deviations { get; } = new();

    /// <summary>From a lost connection to the next welcome.</summary>
    public Latencies Returns { get; } = new();

    /// <summary>From a lost connection to the ack of what changed meanwhile.</summary>
    public Latencies Recoveries { get; } = new();

    public Changes Changes { get; }

    public long Connected => Interlocked.Read(ref _connected);

    /// <summary>Streams that were welcomed.</summary>
    public long Connects => Interlocked.Read(ref _connects);

    /// <summary>Streams that the collector refused for good.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Streams that could not be opened, or ended otherwise than in order.</summary>
    public long Broken => Interlocked.Read(ref _broken);

    /// <summary>That were acknowledged.</summary>
    public long Points => Interlocked.Read(ref _points);

    /// <summary>What comes from now on is not mixed with what was before.</summary>
    public void Clear()
    {
        foreach (var latencies in (ReadOnlySpan<Latencies>)[Heads, Health, Deviations, Returns, Recoveries])
            latencies.Clear();
    }

    public void Welcomed()
    {
        Interlocked.Increment(ref _connected);
        Interlocked.Increment(ref _connects);
    }

    public void Ended() => Interlocked.Decrement(ref _connected);

    public void WasRefused() => Interlocked.Increment(ref _refused);

    public void Broke() => Interlocked.Increment(ref _broken);

    public void Acknowledged(int points) => Interlocked.Add(ref _points, points);
}
