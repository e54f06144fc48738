namespace Telemetry.Collector.Fleet;

/// <summary>Half-open: the end is not part of it.</summary>
internal readonly record struct Interval(DateTimeOffset From, DateTimeOffset To);

/// <summary>Whether an instance was up. A mere lack of contact is unknown, and unknown is never filled.</summary>
internal enum Availability
{
    Unknown,
    Up,
    Down,
}

internal readonly record struct AvailabilityInterval(Availability State, Interval Interval);

/// <summary>What shows whether an instance was up.</summary>
/// <param name="Connected">It had a stream.</param>
/// <param name="Sampled">It had none, but sampled metrics that it told later.</param>
/// <param name="Booting">From the last sign of life before a boot to the boot.</param>
internal sealed record Presence(IReadOnlyList<Interval> Connected, IReadOnlyList<Interval> Sampled, IReadOnlyList<Interval> Booting)
{
    /// <summary>All of the time between two times, in order, without a gap; neighbours differ. Pure.</summary>
    /// <remarks>A sign of life outweighs everything: between a boot and the contact before it the instance may still have run.</remarks>
    public IReadOnlyList<AvailabilityInterval> Between(DateTimeOffset from, DateTimeOffset to)
    {
        var edges = Connected.Concat(Sampled).Concat(Booting)
            .SelectMany(interval => (DateTimeOffset[])[interval.From, interval.To])
            .Where(time => time > from && time < to)
            .Append(from)
            .Append(to)
            .Distinct()
            .Order()
            .ToList();
        var intervals = new List<AvailabilityInterval>();
        for (var i = 0; i + 1 < edges.Count; i++)
        {
            var state = At(edges[i]);
            if (intervals.Count > 0 && intervals[^1].State == state)
                intervals[^1] = new AvailabilityInterval(state, intervals[^1].Interval with { To = edges[i + 1] });
            else
                intervals.Add(new AvailabilityInterval(state, new Interval(edges[i], edges[i + 1])));
        }

        return intervals;
    }

    private Availability At(DateTimeOffset time)
    {
        if (Holds(Connected, time) || Holds(Sampled, time))
            return Availability.Up;
        return Holds(Booting, time) ? Availability.Down : Availability.Unknown;
    }

    private static bool Holds(IReadOnlyList<Interval> intervals, DateTimeOffset time) =>
        intervals.Any(interval => interval.From <= time && time < interval.To);
}
