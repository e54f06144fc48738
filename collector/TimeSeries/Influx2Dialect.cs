using System.Net.Http.Headers;
using System.Text.Json;

namespace Telemetry.Collector.TimeSeries;

/// <summary>InfluxDB 2.x: buckets of organizations, and tokens. Of a batch with a malformed line nothing is written.</summary>
internal sealed class Influx2Dialect(InfluxOptions options) : ServerDialect(options)
{
    public override ServerKind Kind => ServerKind.Influx2;

    public override string Name => "InfluxDB 2.x";

    public override Uri WriteUri => Relative($"api/v2/write?org={Escaped(Options.Organization ?? "")}&bucket={Escaped(Options.Database)}&precision=ns");

    public override string? Mistake => Options.Organization is null ? "it is an InfluxDB 2.x, and timeseries.org is not set" : null;

    public override AuthenticationHeaderValue Authorization(string token) => new("Token", token);

    public override async Task<string?> CreateAsync(InfluxClient client, CancellationToken stopping)
    {
        var found = await client.SendAsync(this, HttpMethod.Get, Relative($"api/v2/orgs?org={Escaped(Options.Organization ?? "")}"), null, stopping);
        if (!found.IsSuccess || OrganizationId(found.Body) is not { } id)
            return $"the organization {Options.Organization} is not there, or not to be seen with this token: {found.Status} {found.Words}";

        var bucket = JsonSerializer.SerializeToUtf8Bytes(new { orgID = id, name = Options.Database, retentionRules = Array.Empty<object>() });
        using var content = new ByteArrayContent(bucket) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        var created = await client.SendAsync(this, HttpMethod.Post, Relative("api/v2/buckets"), content, stopping);

        // 422: somebody else has just made it.
        return created.IsSuccess || created.Status == 422 ? null : $"{created.Status} {created.Words}";
    }

    /// <summary>InfluxQL needs a mapping of the bucket, which an administrator makes.</summary>
    protected override CheckOutcome CannotRead(int status) => status is 400 or 401 or 403 or 404 ? CheckOutcome.NotPossible : CheckOutcome.Failed;

    private static string? OrganizationId(string body)
    {
        try
        {
            using var answer = JsonDocument.Parse(body);
            return answer.RootElement.GetProperty("orgs")[0].GetProperty("id").GetString();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IndexOutOfRangeException or KeyNotFoundException)
        {
            return null;
        }
    }
}
