using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Points that an instance brings, and what it says of those it brings not.</summary>
/// <param name="Names">Of the series that its stream has named so far.</param>
internal sealed record PointDelivery(string InstanceId, HeadPosition Position, V1.HealthBatch Batch, SeriesNames Names)
{
    private const int MaxPoints = 5_000;

    /// <summary>Hours of a year, and reasons: more an agent does not lose at once.</summary>
    private const int MaxLosses = 20_000;

    /// <summary>The agent's clock; null: it says nothing of its points' time.</summary>
    public DateTimeOffset? SampledAt { get; init; }

    /// <summary>How far the agent's clock is behind ours; less than 0: ahead.</summary>
    public TimeSpan ClockOffset { get; init; }

    /// <summary>Puts its points' times right.</summary>
    public TimeSpan Shift => ClockShift.OfPoints(ClockOffset, Sampling);

    /// <summary>How often the instance samples.</summary>
    public TimeSpan Sampling { get; init; }

    /// <summary>When they were sampled, by the collector's clock, if the instance was not connected then; else null.</summary>
    public DateTimeOffset? LateSampleAt { get; init; }

    /// <summary>Points that it brought and that cannot be read; its batch has none then.</summary>
    public int Unreadable { get; init; }

    /// <summary>What should have come before it, and did not.</summary>
    public LaneGap? Gap { get; init; }

    /// <exception cref="BadMessageException">More than a delivery may have.</exception>
    public int CountPoints()
    {
        if (Unreadable > 0)
            return Unreadable;
        var points = Batch.Points.Count + Batch.Rows.Count;
        return points <= MaxPoints ? points : throw new BadMessageException($"{points} points in one batch, {MaxPoints} is the limit");
    }

    /// <summary>Which of our hours an hour of the agent's is in the account.</summary>
    public DateTimeOffset OnOurClock(DateTimeOffset hour) =>
        new(Math.Clamp(hour.UtcTicks + ClockShift.OfHours(ClockOffset).Ticks, 0, DateTimeOffset.MaxValue.UtcTicks), TimeSpan.Zero);

    /// <exception cref="BadMessageException">What no agent tells.</exception>
    public IReadOnlyList<(DateTimeOffset Hour, PointCounts Counts)> Losses() => Batch.Losses.Count > MaxLosses || Batch.Collected > int.MaxValue
        ? throw new BadMessageException("an account of points that no agent gives")
        : [.. Batch.Losses.Select(loss => (OnOurClock(HourOf(loss.Hour.ToTime("hour"))), ToCounts(loss)))];

    public static DateTimeOffset HourOf(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);

    private static PointCounts ToCounts(V1.Loss loss) => loss switch
    {
        { Points: > int.MaxValue } => throw new BadMessageException("a loss of more points than an agent can have"),
        { Reason: V1.LossReason.SpoolDamaged } => new PointCounts(0, 0, 0, 0, (long)loss.Points),
        { Reason: V1.LossReason.NotWanted } => new PointCounts(0, 0, 0, 0, 0, (long)loss.Points),
        _ => new PointCounts(0, 0, 0, (long)loss.Points, 0),
    };
}
