namespace Telemetry.Collector.TimeSeries;

/// <summary>What became of metric points. All counts are points.</summary>
/// <param name="Collected">As the agent counts; 0 when it does not.</param>
/// <param name="Stored">Durably: on their way to the time-series store, or there.</param>
/// <param name="Rejected">No time-series store could take them, or it would not.</param>
/// <param name="LostFull">By the agent, for want of room.</param>
/// <param name="LostDamaged">By the agent: its disk gave them back wrong.</param>
/// <param name="Dropped">Nobody wanted them: no time-series store is configured.</param>
internal readonly record struct PointCounts(long Collected, long Stored, long Rejected, long LostFull, long LostDamaged, long Dropped = 0)
{
    /// <summary>What is told to be lost was collected, though no point of that time ever came to say so.</summary>
    public PointCounts Settle() => this with { Collected = Math.Max(Collected, Known) };

    /// <summary>Collected, and nothing was told of them. Points come in order: those did not come before some that did.</summary>
    public long Untold => Settle().Collected - Known;

    private long Known => Stored + Rejected + LostFull + LostDamaged + Dropped;
}

/// <summary>The points of one instance and hour.</summary>
internal sealed record PointAccount(string InstanceId, DateTimeOffset Hour, PointCounts Counts)
{
    /// <summary>No points of a later hour came yet: what is untold may still be told.</summary>
    public bool IsNewest { get; init; }

    /// <summary>Of those stored, what waits on the collector's disk for the time-series store.</summary>
    public long Queued { get; init; }

    /// <summary>In the time-series store, as far as that said.</summary>
    public long Stored => Counts.Stored - Queued;

    public long Waiting => Queued + (IsNewest ? Counts.Untold : 0);

    /// <summary>Neither did they come, nor was it told what became of them.</summary>
    public long Missing => IsNewest ? 0 : Counts.Untold;

    /// <summary>Of those rejected.</summary>
    public IReadOnlyList<(RejectionReason Reason, long Points)> Rejections { get; init; } = [];

    /// <summary>Deliveries of the health lane that never came, as was noticed in this hour.</summary>
    public long MissingBatches { get; init; }
}
