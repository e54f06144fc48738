using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>A stub of InfluxDB 3 Core: databases make themselves, bad lines are named by number and the others written.</summary>
internal sealed class StubInflux3 : StubInflux
{
    protected override async Task Answer(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/ping":
                await Say(context, 200, """{"version":"3.2.1","revision":"stub"}""");
                break;
            case "/health":
                await Say(context, 200, "OK");
                break;
            case "/query":
                var value = Newest("collector")?.Split('=')[^1].Split('i')[0];
                await Say(context, 200, value is null
                    ? """{"results":[{"statement_id":0}]}"""
                    : $$"""{"results":[{"statement_id":0,"series":[{"name":"collector","columns":["time","selftest"],"values":[["2026-03-03T10:00:00Z",{{value}}]]}]}]}""");
                break;
            case "/api/v3/write_lp":
                await Write(context);
                break;
            default:
                await Say(context, 404, "not found");
                break;
        }
    }

    private async Task Write(HttpContext context)
    {
        CountRequest();
        Assert.Equal(("nanosecond", "true"), (context.Request.Query["precision"].ToString(), context.Request.Query["accept_partial"].ToString()));
        var lines = await Lines(context);
        var conflicts = Store(lines);
        if (conflicts.Count == 0)
        {
            context.Response.StatusCode = 204;
            return;
        }

        await Say(context, 400, JsonSerializer.Serialize(new
        {
            error = "partial write of line protocol occurred",
            data = conflicts.Select(line => new { original_line = lines[line], line_number = line + 1, error_message = "invalid field value" }),
        }));
    }
}
