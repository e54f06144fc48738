using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.TimeSeries;

/// <summary>How many series there may be: each costs the store memory for as long as it is kept.</summary>
/// <param name="All">Ten thousand instances with a hundred series each.</param>
/// <param name="PerInstance">Of what its agent tells: far more than a machine has, so that one leaves room for the others.</param>
internal sealed record SeriesLimits(int All = 1_000_000, int PerMeasurement = 200_000, int PerInstance = 10_000)
{
    public static SeriesLimits Read(SettingsSection section) => new(
        (int)section.Number("max_series", 1_000_000, least: 100, most: 10_000_000),
        (int)section.Number("max_series_per_measurement", 200_000, least: 100, most: 10_000_000),
        (int)section.Number("max_series_per_instance", 10_000, least: 100, most: 10_000_000));
}
