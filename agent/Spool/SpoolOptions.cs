using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Spool;

/// <summary>How much of the disk reports may take that are not acknowledged yet: <c>[spool]</c>. The smaller of both holds.</summary>
internal sealed record SpoolOptions
{
    // Less would not hold what is in flight.
    private const long Least = 1 << 20;

    public required long Bytes { get; init; }

    /// <summary>Of what is free to the agent, its own spool counted as free.</summary>
    public required double FreeShare { get; init; }

    public static SpoolOptions Read(SettingsSection settings) => new()
    {
        Bytes = settings.Size("size", 64 << 20, Least),
        FreeShare = settings.Number("free_percent", 10, least: 1, most: 100) / 100.0,
    };
}
