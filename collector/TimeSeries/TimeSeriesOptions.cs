using Telemetry.Collector.TimeSeries.Embedded;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Which store keeps time series: a server, the embedded one, or none.</summary>
internal sealed record TimeSeriesOptions(InfluxOptions? Influx, EmbeddedOptions? Embedded, SeriesLimits Series)
{
    public const string EmbeddedKind = "embedded";
    public const string NoKind = "none";

    private const long DefaultQueueMib = 1024;

    /// <summary>What may wait on disk to be written, in bytes of lines. A gibibyte is a day of some hundred instances.</summary>
    public long QueueBytes { get; init; } = DefaultQueueMib << 20;

    public static TimeSeriesOptions Read(SettingsSection section) => new(InfluxOptions.Read(section), EmbeddedOptions.Read(section), SeriesLimits.Read(section))
    {
        QueueBytes = section.Number("queue_mib", DefaultQueueMib, least: 1, most: 1 << 20) << 20,
    };
}
