using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Health;

/// <summary>Metrics: <c>[health]</c>.</summary>
internal sealed record HealthOptions
{
    // Samples are also the evidence of when the machine ran: rarer ones would prove little.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>Between two samples, whose times are rounded to it.</summary>
    public required TimeSpan Interval { get; init; }

    public static HealthOptions Read(SettingsSection settings) => new()
    {
        Interval = settings.Duration("interval", TimeSpan.FromSeconds(10), least: TimeSpan.FromSeconds(1), most: Longest),
    };
}
