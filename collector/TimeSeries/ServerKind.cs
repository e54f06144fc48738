namespace Telemetry.Collector.TimeSeries;

/// <summary>Servers that take line protocol over HTTP, each in its own way.</summary>
internal enum ServerKind
{
    Influx1 = 1,
    Influx2 = 2,
    Influx3 = 3,
    VictoriaMetrics = 4,
}
