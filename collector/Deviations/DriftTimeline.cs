using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>What drift counts of a deviation: that it is open at its first moment, and at its last not any more.</summary>
/// <param name="Severity">The last it had.</param>
internal readonly record struct Episode(Severity Severity, DateTimeOffset OpenedAt, DateTimeOffset? ClosedAt);

/// <summary>How many deviations were open at a point in time, whatever had been decided about them.</summary>
/// <param name="Open">By severity; those of which there were none are missing.</param>
internal sealed record DriftPoint(DateTimeOffset At, IReadOnlyDictionary<Severity, int> Open);

/// <summary>How much an instance drifted over time, from the lives of its deviations. Pure.</summary>
internal static class DriftTimeline
{
    public const int MaxPoints = 10_000;

    /// <summary>As many as a screen has lines, about.</summary>
    private const int DefaultPoints = 50;

    private static readonly TimeSpan[] Steps =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromHours(3),
        TimeSpan.FromHours(6), TimeSpan.FromHours(12), TimeSpan.FromDays(1), TimeSpan.FromDays(2), TimeSpan.FromDays(7), TimeSpan.FromDays(30),
    ];

    /// <summary>A step that gives a time few points.</summary>
    public static TimeSpan StepOf(TimeSpan time) => Array.Find(Steps, step => time / step < DefaultPoints) is { Ticks: > 0 } fitting ? fitting : time / DefaultPoints;

    /// <summary>The last point is the end itself; the others are whole steps before it.</summary>
    /// <param name="step">Above 0.</param>
    /// <returns>Oldest first; nothing when the end is before the beginning.</returns>
    public static IReadOnlyList<DriftPoint> Of(IEnumerable<Episode> episodes, DateTimeOffset from, DateTimeOffset to, TimeSpan step)
    {
        var count = from > to ? 0 : ((to - from).Ticks / step.Ticks) + 1;
        var times = new List<DateTimeOffset>();
        for (var i = count - 1; i >= 0; i--)
            times.Add(to - (step * i));

        // What opens and closes between two points is a change at the later one.
        var changes = times.ConvertAll(_ => new Dictionary<Severity, int>());
        foreach (var episode in episodes)
        {
            Change(episode.OpenedAt, episode.Severity, 1);
            if (episode.ClosedAt is { } closed)
                Change(closed, episode.Severity, -1);
        }

        var open = new Dictionary<Severity, int>();
        return [.. times.Zip(changes, (at, changed) =>
        {
            foreach (var (severity, more) in changed)
                open[severity] = open.GetValueOrDefault(severity) + more;
            return new DriftPoint(at, open.Where(some => some.Value != 0).ToDictionary());
        })];

        void Change(DateTimeOffset at, Severity severity, int more)
        {
            var index = times.BinarySearch(at);
            if (index < 0)
                index = ~index;
            if (index < times.Count)
                changes[index][severity] = changes[index].GetValueOrDefault(severity) + more;
        }
    }
}
