namespace Telemetry.Agent.Health;

/// <summary>How a look of a probe ended. The numbers are those of the field <c>outcome</c>: never change one.</summary>
internal enum ProbeOutcome
{
    Ok = 0,

    /// <summary>There is nothing to tell: no such thing on this machine, or a first look that needs a second.</summary>
    NoData = 1,

    /// <summary>It could not be read, or took too long.</summary>
    Failed = 2,
}

/// <param name="Trouble">For people, without a full stop: why it failed, or what was skipped; null when there is none.</param>
internal sealed record ProbeReport(string Probe, ProbeOutcome Outcome, TimeSpan Duration, IReadOnlyList<HealthPoint> Points, int Skipped, string? Trouble)
{
    private HealthTag[] Tags => [new HealthTag("probe", Probe)];

    /// <summary>Of measurement <c>agent</c>.</summary>
    public HealthPoint ToPoint() => new(
        "agent",
        [
            HealthField.Of("outcome", (long)Outcome),
            HealthField.Of("duration_ns", (long)Duration.TotalNanoseconds),
            HealthField.Of("points", (long)Points.Count),
            HealthField.Of("skipped", (long)Skipped),
        ],
        Tags);
}
