using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Scrub;

/// <summary>How slowly everything is read again: <c>[scrub]</c>.</summary>
internal sealed record ScrubOptions
{
    public required bool Enabled { get; init; }

    /// <summary>Every file is read once in it. Less makes it find sooner what forged its times, and read more.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Never more than this, even if a pass takes longer than the period.</summary>
    public required int MaxReadMiBPerSecond { get; init; }

    public static ScrubOptions Read(SettingsSection settings) => new()
    {
        Enabled = settings.Flag("enabled", true),
        Period = settings.Duration("period", TimeSpan.FromHours(24), least: TimeSpan.FromSeconds(1)),
        MaxReadMiBPerSecond = (int)settings.Number("max_read_mib_per_second", 16, least: 1, most: 10_000),
    };
}
