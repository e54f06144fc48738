using System.Text.Json;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Which kind of server it is, by what it says of itself.</summary>
internal static class ServerDetection
{
    /// <returns>Null: it does not say. The version may be empty.</returns>
    public static (ServerKind? Kind, string Version) Detect(InfluxAnswer ping, InfluxAnswer health)
    {
        var version = (ping.Version.Length > 0 ? ping.Version : VersionIn(ping.Body) ?? VersionIn(health.Body) ?? "").TrimStart('v');

        // It names no version here, and claims to be a 1.8.0 elsewhere; that would answer with JSON, and a 1.6 has no /health at all.
        var claims = version.StartsWith("1.", StringComparison.Ordinal) || (version.Length == 0 && ping.Status == 204);
        if (claims && health.IsSuccess && health.Body.Trim() == "OK")
            return (ServerKind.VictoriaMetrics, "");

        ServerKind? kind = version switch
        {
            ['1', '.', ..] => ServerKind.Influx1,
            ['2', '.', ..] => ServerKind.Influx2,
            ['3', '.', ..] => ServerKind.Influx3,
            _ when ping.Build.StartsWith("cloud", StringComparison.OrdinalIgnoreCase) => ServerKind.Influx2,
            _ => null,
        };
        return (kind, version);
    }

    private static string? VersionIn(string body)
    {
        try
        {
            using var answer = JsonDocument.Parse(body);
            return answer.RootElement.ValueKind == JsonValueKind.Object && answer.RootElement.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.String
                ? version.GetString()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
