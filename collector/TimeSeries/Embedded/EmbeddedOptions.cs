using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>The store that is used when no server is configured.</summary>
internal sealed record EmbeddedOptions
{
    private const long DefaultLimitMib = 4096;

    /// <summary>What the database may take. Beyond it the oldest gives way, before its time.</summary>
    public long LimitBytes { get; init; } = DefaultLimitMib << 20;

    /// <summary>Of values that are not in chunks yet, in memory: 32 bytes each.</summary>
    public int MaxSamples { get; init; } = 2_000_000;

    /// <returns>Null: another store is configured, or none.</returns>
    public static EmbeddedOptions? Read(SettingsSection section)
    {
        var limit = section.Number("limit_mib", DefaultLimitMib, least: 16, most: 1 << 24);
        return section.Text("kind", "embedded") == "embedded" ? new EmbeddedOptions { LimitBytes = limit << 20 } : null;
    }
}
