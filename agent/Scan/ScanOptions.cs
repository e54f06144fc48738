using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Scan;

/// <summary>How often: <c>[scan]</c>.</summary>
internal sealed record ScanOptions
{
    /// <summary>
    /// From the end of one look to the begin of the next, at what nobody reports to have changed: facts of the system, and all
    /// files where they can't be watched. A look at what did not change reads no content.
    /// </summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>The same of all files where they are watched: for writes that the kernel does not report.</summary>
    public required TimeSpan Rescan { get; init; }

    public static ScanOptions Read(SettingsSection settings) => new()
    {
        Interval = settings.Duration("interval", TimeSpan.FromSeconds(10), least: TimeSpan.FromSeconds(1)),
        Rescan = settings.Duration("rescan", TimeSpan.FromMinutes(10), least: TimeSpan.FromSeconds(1)),
    };
}
