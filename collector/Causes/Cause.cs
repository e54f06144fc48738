using System.Collections.Immutable;

namespace Telemetry.Collector.Causes;

/// <summary>What sort of explanation a cause is. The numbers are stored and sent.</summary>
internal enum CauseKind
{
    Packages = 1,
    Actor = 2,
    Unexplained = 3,

    /// <summary>What every instance makes for itself when it first starts.</summary>
    FirstBoot = 4,

    /// <summary>What another instance of the line became a short while ago.</summary>
    Rollout = 5,

    /// <summary>Somebody changed what judges the instance, which itself did not change.</summary>
    Decision = 6,
}

/// <summary>What explains a group of deviations of a fleet. Every deviation belongs to one.</summary>
/// <param name="Summary">For people; can be shown.</param>
/// <param name="Packages">Of a package transaction, sorted; else empty.</param>
/// <param name="BeganAt">The agent's clock: the first of it that was seen. Of a decision the collector's.</param>
internal sealed record Cause(
    long Id, CauseKind Kind, string Summary, ImmutableArray<PackageTransition> Packages, DateTimeOffset BeganAt)
{
    /// <summary>Of a decision: whose token it was; null: it is none, or nobody's.</summary>
    public string? DecidedBy { get; init; }

    /// <summary>How people write the id.</summary>
    public static string IdText(long id) => $"c-{id}";

    public static long? ParseId(string text) =>
        text.StartsWith("c-", StringComparison.Ordinal)
        && long.TryParse(text.AsSpan(2), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id)
            ? id : null;
}

/// <summary>How many deviations a cause explains, and where.</summary>
/// <param name="Unverified">Made by package processes, without a package's list to prove them.</param>
internal sealed record CauseCounts(long Deviations, long Open, long Instances, long Files, long Unverified);
