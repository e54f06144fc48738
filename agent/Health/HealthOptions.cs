using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Health;

/// <summary>Metrics: <c>[health]</c>.</summary>
internal sealed record HealthOptions
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>
    /// Between two samples, whose times are rounded to it. They are also the evidence that the machine ran while it was not connected:
    /// of what lies between two that are more than ten minutes apart nothing is known.
    /// </summary>
    public required TimeSpan Interval { get; init; }

    public static HealthOptions Read(SettingsSection settings) => new()
    {
        Interval = settings.Duration("interval", TimeSpan.FromSeconds(10), least: TimeSpan.FromSeconds(1), most: Longest),
    };
}
