using Microsoft.AspNetCore.Http;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>A stub of InfluxDB 2.x: organization <c>acme</c>, one token, no bucket until one is made, nothing of a batch with a malformed line.</summary>
internal sealed class StubInflux2 : StubInflux
{
    private volatile string? _bucket;

    public string Token { get; } = "right";

    protected override async Task Answer(HttpContext context)
    {
        var request = context.Request;
        context.Response.Headers["X-Influxdb-Version"] = "v2.7.10";
        context.Response.Headers["X-Influxdb-Build"] = "OSS";
        switch (request.Path.Value)
        {
            case "/ping":
                context.Response.StatusCode = 204;
                break;
            case "/health":
                await Say(context, 200, """{"name":"influxdb","message":"ready","status":"pass","version":"v2.7.10"}""");
                break;
            case var _ when request.Headers.Authorization != $"Token {Token}":
                CountRequest();
                await Say(context, 401, """{"code":"unauthorized","message":"unauthorized access"}""");
                break;
            case "/api/v2/orgs":
                await Say(context, 200, request.Query["org"] == "acme" ? """{"orgs":[{"id":"0a","name":"acme"}]}""" : """{"orgs":[]}""");
                break;
            case "/api/v2/buckets":
                using (var reader = new StreamReader(request.Body))
                    _bucket = System.Text.Json.JsonDocument.Parse(await reader.ReadToEndAsync()).RootElement.GetProperty("name").GetString();
                await Say(context, 201, "{}");
                break;
            case "/api/v2/write":
                await Write(context);
                break;
            default:
                await Say(context, 404, """{"code":"not found","message":"no dbrp mapping found"}""");
                break;
        }
    }

    private async Task Write(HttpContext context)
    {
        CountRequest();
        Assert.Equal(("acme", "ns"), (context.Request.Query["org"].ToString(), context.Request.Query["precision"].ToString()));
        var lines = await Lines(context);
        if (context.Request.Query["bucket"] != _bucket)
            await Say(context, 404, """{"code":"not found","message":"bucket not found"}""");
        else if (lines.Exists(line => line.StartsWith("malformed", StringComparison.Ordinal)))
            await Say(context, 400, """{"code":"invalid","message":"unable to parse 'malformed'"}""");
        else if (Store(lines).Count > 0)
            await Say(context, 422, """{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict"}""");
        else
            context.Response.StatusCode = 204;
    }
}
