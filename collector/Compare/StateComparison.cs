using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Compare;

/// <summary>Compares two states whose differences nobody's policy judges. Pure.</summary>
internal static class StateComparison
{
    /// <returns>By kind and key; and what could not be compared, for people, null when nothing.</returns>
    public static (IReadOnlyList<Difference> Differences, string? LeftOut) Between(
        INodeSource nodes, Roots left, Roots right, CoverageOverlap overlap)
    {
        var secrets = 0;
        var differences = new List<Difference>();
        foreach (var difference in Comparison.Between(nodes, left, right, overlap))
        {
            var verdict = VerdictOf(difference);
            if (verdict == Verdict.OtherKey)
                secrets++;
            else if (verdict != Verdict.Equal)
                differences.Add(difference);
        }

        return (differences, LeftOut.With(overlap.LeftOut, secrets));
    }

    /// <summary>Of a file that layers share, on whichever side, nothing but settings says anything.</summary>
    private static Verdict VerdictOf(Difference difference)
    {
        var (before, after) = (difference.Change.BeforeFingerprint, difference.Change.AfterFingerprint);
        return ContentBySettings.Is(after) && Closeness.DifferInContentOnly(before, after)
            ? Verdict.Equal
            : Closeness.Of(difference.Kind, before, after, Treatment.Full);
    }
}
