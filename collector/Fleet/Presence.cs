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

/// <summary>It had a stream, or sampled while it had none.</summary>
/// <param name="Sampling">How often it samples.</param>
internal readonly record struct SignOfLife(DateTimeOffset From, DateTimeOffset To, TimeSpan Sampling);

/// <param name="IsProof">It sampled until it went down. Otherwise nothing is known of the time before.</param>
internal readonly record struct Boot(DateTimeOffset At, bool IsProof);

/// <summary>What shows whether an instance was up. Pure.</summary>
/// <remarks>
/// Signs of life that are at most three samples apart are one, unless a boot is between them. From the last of them to a boot it was
/// down, if that is no longer than a reboot takes and no samples of that time are told to be lost: an agent that was stopped, or lost
/// what it had, is no machine that was.
/// </remarks>
internal sealed record Presence
{
    /// <summary>Services have 90 seconds each to stop, the firmware of big machines needs minutes.</summary>
    public static readonly TimeSpan LongestReboot = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan LongestSampling = TimeSpan.FromMinutes(10);

    /// <summary>What further away is does not matter to a time.</summary>
    public static readonly TimeSpan Reach = Missed * LongestSampling;

    /// <summary>Samples that may be missing in a row: one is late, one is lost with the agent.</summary>
    public const int Missed = 3;

    public IReadOnlyList<SignOfLife> Alive { get; init; } = [];

    public IReadOnlyList<Boot> Boots { get; init; } = [];

    /// <summary>Samples of that time are lost, some or all.</summary>
    public IReadOnlyList<Interval> Lost { get; init; } = [];

    /// <summary>A check that defines the service failed: down, though the machine lives.</summary>
    public IReadOnlyList<Interval> Failing { get; init; } = [];

    /// <summary>The cloud says that it was stopped: down, unless it gave a sign of life.</summary>
    public IReadOnlyList<Interval> Stopped { get; init; } = [];

    /// <summary>All of the time between two times, in order, without a gap; neighbours differ.</summary>
    public IReadOnlyList<AvailabilityInterval> Between(DateTimeOffset from, DateTimeOffset to)
    {
        var boots = Boots.OrderBy(boot => boot.At).ToList();
        var alive = Bridged(boots);
        var edges = Edges(Failing, 0)
            .Concat(Edges(alive.Select(sign => new Interval(sign.From, sign.To)), 1))
            .Concat(Edges(Stopped.Concat(Reboots(alive, boots)), 2))
            .Where(edge => edge.At < to)
            .OrderBy(edge => edge.At);

        var intervals = new List<AvailabilityInterval>();
        Span<int> open = stackalloc int[3];
        var at = from;
        foreach (var edge in edges)
        {
            Add(intervals, StateOf(open), at, edge.At);
            at = edge.At > at ? edge.At : at;
            open[edge.Evidence] += edge.Step;
        }

        Add(intervals, StateOf(open), at, to);
        return intervals;
    }

    private static Availability StateOf(ReadOnlySpan<int> open) => open switch
    {
        [> 0, _, _] => Availability.Down,
        [_, > 0, _] => Availability.Up,
        [_, _, > 0] => Availability.Down,
        _ => Availability.Unknown,
    };

    private static void Add(List<AvailabilityInterval> intervals, Availability state, DateTimeOffset from, DateTimeOffset to)
    {
        if (from >= to)
            return;
        if (intervals.Count > 0 && intervals[^1].State == state)
            intervals[^1] = new AvailabilityInterval(state, intervals[^1].Interval with { To = to });
        else
            intervals.Add(new AvailabilityInterval(state, new Interval(from, to)));
    }

    private static IEnumerable<(DateTimeOffset At, int Evidence, int Step)> Edges(IEnumerable<Interval> intervals, int evidence) => intervals
        .Where(interval => interval.From < interval.To)
        .SelectMany(interval => (IEnumerable<(DateTimeOffset, int, int)>)[(interval.From, evidence, 1), (interval.To, evidence, -1)]);

    /// <summary>By time, apart from each other.</summary>
    private List<SignOfLife> Bridged(List<Boot> boots)
    {
        var bridged = new List<SignOfLife>();
        var boot = 0;
        foreach (var sign in Alive.OrderBy(sign => sign.From))
        {
            if (bridged.Count == 0)
            {
                bridged.Add(sign);
                continue;
            }

            var last = bridged[^1];
            while (boot < boots.Count && boots[boot].At < last.To)
                boot++;
            var isOne = sign.From <= last.To
                || (sign.From - last.To <= Missed * sign.Sampling && (boot == boots.Count || boots[boot].At > sign.From));
            if (isOne)
                bridged[^1] = new SignOfLife(last.From, sign.To > last.To ? sign.To : last.To, sign.Sampling);
            else
                bridged.Add(sign);
        }

        return bridged;
    }

    private List<Interval> Reboots(List<SignOfLife> alive, List<Boot> boots)
    {
        var reboots = new List<Interval>();
        var lost = Lost.OrderBy(interval => interval.From).ToList();
        var (sign, loss, lostUntil) = (0, 0, DateTimeOffset.MinValue);
        foreach (var boot in boots)
        {
            while (sign < alive.Count && alive[sign].From < boot.At)
                sign++;
            for (; loss < lost.Count && lost[loss].From < boot.At; loss++)
                lostUntil = lost[loss].To > lostUntil ? lost[loss].To : lostUntil;
            if (!boot.IsProof || sign == 0)
                continue;

            var last = alive[sign - 1];
            var longest = Missed * last.Sampling > LongestReboot ? Missed * last.Sampling : LongestReboot;
            if (last.To < boot.At && boot.At - last.To <= longest && lostUntil <= last.To)
                reboots.Add(new Interval(last.To, boot.At));
        }

        return reboots;
    }
}
