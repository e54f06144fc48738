using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.TimeSeries;

/// <summary>The InfluxDB 1.x server that points go to.</summary>
internal sealed record InfluxOptions(Uri Url, string Database)
{
    private const long DefaultQueueMib = 1024;

    /// <summary>What may wait for the server, in bytes of lines. A gibibyte is a day of some hundred instances.</summary>
    public long QueueBytes { get; init; } = DefaultQueueMib << 20;

    public Uri WriteUri => new(Url, $"write?db={Uri.EscapeDataString(Database)}&precision=n");

    public Uri CreateDatabaseUri => new(Url, $"query?q={Uri.EscapeDataString($"CREATE DATABASE \"{Database.Replace("\"", "\\\"")}\"")}");

    /// <summary>Reads <c>[timeseries]</c>; null when the section is absent and points are not wanted.</summary>
    public static InfluxOptions? Read(SettingsSection section)
    {
        var kind = section.TextOrNull("kind");
        var url = section.TextOrNull("url");
        var database = section.Text("database", "telemetry");
        var queue = section.Number("queue_mib", DefaultQueueMib, least: 1, most: 1 << 20);
        if (kind is null)
        {
            if (url is not null)
                section.Fail("kind", "is missing: set it to \"influxdb\".");
            return null;
        }

        if (kind != "influxdb")
        {
            section.Fail("kind", "must be \"influxdb\": this version has no other time-series store; without the section, health metrics are not sampled.");
            return null;
        }

        if (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            return new InfluxOptions(new Uri(uri.AbsoluteUri.TrimEnd('/') + "/"), database) { QueueBytes = queue << 20 };

        section.Fail("url", "must be the server's address, such as \"http://127.0.0.1:8086\".");
        return null;
    }
}
