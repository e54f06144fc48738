using System.Net.Http.Headers;

namespace Telemetry.Collector.TimeSeries;

/// <summary>InfluxDB 3 Core, by its own write path: it names bad lines by number and writes the others. Databases make themselves.</summary>
/// <remarks>Its default precision guesses from the size of a number.</remarks>
internal sealed class Influx3Dialect(InfluxOptions options) : ServerDialect(options)
{
    public override ServerKind Kind => ServerKind.Influx3;

    public override string Name => "InfluxDB 3";

    public override Uri WriteUri => Relative($"api/v3/write_lp?db={Escaped(Options.Database)}&precision=nanosecond&accept_partial=true");

    public override AuthenticationHeaderValue Authorization(string token) => new("Bearer", token);

    public override async Task<string?> CreateAsync(InfluxClient client, CancellationToken stopping)
    {
        using var content = new StringContent(System.Text.Json.JsonSerializer.Serialize(new { db = Options.Database }), System.Text.Encoding.UTF8, "application/json");
        var answer = await client.SendAsync(this, HttpMethod.Post, Relative("api/v3/configure/database"), content, stopping);
        return answer.IsSuccess || answer.Status == 409 ? null : $"{answer.Status} {answer.Words}";
    }
}
