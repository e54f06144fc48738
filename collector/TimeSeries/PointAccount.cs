namespace Telemetry.Collector.TimeSeries;

/// <summary>What became of metric points. All counts are points.</summary>
/// <param name="Collected">As the agent counts; 0 when it does not.</param>
/// <param name="Stored">On their way to the time-series store, or there.</param>
/// <param name="Rejected">No time-series store could take them: NaN, infinities, names it does not know.</param>
/// <param name="LostFull">By the agent, for want of room.</param>
/// <param name="LostDamaged">By the agent: its disk gave them back wrong.</param>
internal readonly record struct PointCounts(long Collected, long Stored, long Rejected, long LostFull, long LostDamaged)
{
    /// <summary>Collected and not told of yet: they wait at the agent. Less than none: an agent that forgot what it had counted.</summary>
    public long Waiting => Collected - Stored - Rejected - LostFull - LostDamaged;
}

/// <summary>The points of one instance and hour.</summary>
internal sealed record PointAccount(string InstanceId, DateTimeOffset Hour, PointCounts Counts);
