using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Checks;

/// <summary>A time in which something said that an instance was down: milliseconds since 1970.</summary>
/// <param name="To">Null: it lasts.</param>
internal sealed record DownTime(DownSource Source, string Name, long From, long? To)
{
    /// <summary>Makes some times one with the one before them: those with the least between, in which it was hardly up.</summary>
    /// <param name="times">By source, name and when they began.</param>
    /// <param name="fewer">How many are to go.</param>
    /// <returns>The first of each that grows, as it is then, and those that it takes in.</returns>
    public static IReadOnlyList<(DownTime Grown, IReadOnlyList<DownTime> TakenIn)> Joined(IReadOnlyList<DownTime> times, int fewer)
    {
        var taken = Enumerable.Range(1, Math.Max(times.Count - 1, 0))
            .Where(i => times[i].IsOfTheSameAs(times[i - 1]))
            .OrderBy(i => times[i].From - (times[i - 1].To ?? times[i].From))
            .Take(fewer)
            .ToHashSet();
        var joined = new List<(DownTime, IReadOnlyList<DownTime>)>();
        for (var (i, next) = (0, 1); i < times.Count; i = next, next++)
        {
            while (taken.Contains(next))
                next++;
            if (next > i + 1)
                joined.Add((times[i] with { To = times[next - 1].To }, [.. times.Take(next).Skip(i + 1)]));
        }

        return joined;
    }

    private bool IsOfTheSameAs(DownTime before) => Source == before.Source && Name == before.Name;
}
