namespace Telemetry.Agent.Health;

/// <summary>Metrics: <c>[health]</c>.</summary>
internal sealed record HealthOptions
{
    /// <summary>Between two samples, whose times are rounded to it.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
}
