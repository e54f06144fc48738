using System.Net.Http.Headers;

namespace Telemetry.Collector.TimeSeries;

/// <summary>InfluxDB 1.x. Bad lines are answered with 400 and the good ones beside them are written.</summary>
internal sealed class Influx1Dialect(InfluxOptions options) : ServerDialect(options)
{
    public override ServerKind Kind => ServerKind.Influx1;

    public override string Name => "InfluxDB 1.x";

    public override Uri WriteUri =>
        Relative($"write?db={Escaped(Options.Database)}{(Options.RetentionPolicy is { } policy ? $"&rp={Escaped(policy)}" : "")}&precision=n");

    public override AuthenticationHeaderValue Authorization(string token) => new("Bearer", token);

    public override async Task<string?> CreateAsync(InfluxClient client, CancellationToken stopping)
    {
        var name = Options.Database.Replace("\\", @"\\").Replace("\"", "\\\"");
        var answer = await client.SendAsync(this, HttpMethod.Post, Relative($"query?q={Escaped($"CREATE DATABASE \"{name}\"")}"), null, stopping);

        // What it cannot do is answered with 200 and an error inside.
        return answer.IsSuccess && !answer.Body.Contains("\"error\"", StringComparison.Ordinal) ? null : $"{answer.Status} {answer.Words}";
    }
}
