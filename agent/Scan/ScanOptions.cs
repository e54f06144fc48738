using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Scan;

/// <summary>How often: <c>[scan]</c>.</summary>
internal sealed record ScanOptions
{
    /// <summary>From the end of one scan to the begin of the next. A scan of what did not change reads no content.</summary>
    public required TimeSpan Interval { get; init; }

    public static ScanOptions Read(SettingsSection settings) => new()
    {
        Interval = settings.Duration("interval", TimeSpan.FromSeconds(10), least: TimeSpan.FromSeconds(1)),
    };
}
