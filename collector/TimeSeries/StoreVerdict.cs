namespace Telemetry.Collector.TimeSeries;

internal enum CheckOutcome
{
    Passed = 1,
    Failed = 2,

    /// <summary>This store cannot do it, and need not.</summary>
    NotPossible = 3,
}

/// <summary>One thing that was tried.</summary>
/// <param name="Name">A word: reach, version, write, read.</param>
/// <param name="Words">What came of it, and what to do if it failed.</param>
internal sealed record StoreCheck(string Name, CheckOutcome Outcome, string Words);

/// <summary>What a store was found to do, at some time.</summary>
/// <param name="Store">What it is and where.</param>
/// <param name="Version">As it says; empty: it says nothing.</param>
internal sealed record StoreVerdict(string Store, string Version, DateTimeOffset At, IReadOnlyList<StoreCheck> Checks)
{
    public bool HasPassed => Checks.All(check => check.Outcome != CheckOutcome.Failed);

    /// <summary>In one sentence.</summary>
    public string Words => HasPassed
        ? $"{Store} takes points{(Checks.Any(check => check is { Name: "read", Outcome: CheckOutcome.Passed }) ? " and gives them back" : "")}"
        : $"{Store}: {Checks.First(check => check.Outcome == CheckOutcome.Failed).Words}";
}
