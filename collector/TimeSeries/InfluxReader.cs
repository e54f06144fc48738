using System.Text.Json;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Asks an InfluxDB on <c>/query</c>: 1.x, 2.x through a DBRP mapping, 3.</summary>
/// <param name="dialect">Of the server, once it is known.</param>
internal sealed class InfluxReader(InfluxClient client, InfluxOptions options, Func<CancellationToken, Task<ServerDialect>> dialect) : ISeriesReader
{
    // 1.x says it with status 200, 3 with 404.
    private const string NoDatabase = "database not found";

    public async Task<IReadOnlyList<AnsweredSeries>> QueryAsync(SeriesQuery query, CancellationToken cancellation)
    {
        query.Checked();
        cancellation.ThrowIfCancellationRequested();
        var answer = await AskAsync(InfluxQl.Of(query), cancellation);
        if (answer.Status is 401 or 403)
            throw new SeriesException($"The server at {options.Url} does not accept the collector's token for reading {options.Database}: {answer.Words}");

        var parsed = Parse(answer.Body);
        var problem = parsed?.Error ?? parsed?.Results?.Select(result => result.Error).FirstOrDefault(error => error is not null);
        if (problem?.Contains(NoDatabase, StringComparison.Ordinal) ?? false)
            return [];
        if (parsed is null && answer.Body.Length >= InfluxClient.MaxAnswer / 4)
            throw SeriesQuery.TooMuch();
        if (problem is not null || answer.Status != 200 || parsed is null)
            throw new SeriesException($"The server at {options.Url} does not answer: {answer.Status} {problem ?? answer.Words}");
        return ToSeries(query, parsed.Results?.SelectMany(result => result.Series ?? []) ?? []);
    }

    private async Task<InfluxAnswer> AskAsync(string text, CancellationToken cancellation)
    {
        try
        {
            var server = await dialect(cancellation);
            if (server.Kind == ServerKind.VictoriaMetrics)
                throw new SeriesException($"VictoriaMetrics knows no InfluxQL: ask it at {options.Url}api/v1/query_range for MEASUREMENT_FIELD.");

            // In the body, for lists of tags are long.
            var policy = options.RetentionPolicy is { } name ? $"&rp={Uri.EscapeDataString(name)}" : "";
            using var content = new FormUrlEncodedContent([new("q", text)]);
            return await client.SendAsync(server, HttpMethod.Post, new Uri(options.Url, $"query?db={Uri.EscapeDataString(options.Database)}{policy}&epoch=ms"), content, cancellation);
        }
        catch (Exception e) when (e is InfluxUnreachableException or InfluxMisconfiguredException)
        {
            throw new SeriesException($"The server at {options.Url} does not answer: {e.Message}");
        }
    }

    private static List<AnsweredSeries> ToSeries(SeriesQuery query, IEnumerable<InfluxSeries> found)
    {
        var all = new List<AnsweredSeries>();
        var count = 0;
        foreach (var series in found)
        {
            var tags = query.By.ToDictionary(tag => tag, tag => series.Tags?.GetValueOrDefault(tag) ?? "");
            var points = new List<SeriesPoint>();
            foreach (var row in series.Values ?? [])
            {
                if (row is [var time, { ValueKind: JsonValueKind.Number } value])
                    points.Add(new SeriesPoint(query.Step is null ? query.From : DateTimeOffset.FromUnixTimeMilliseconds(time.GetInt64()), value.GetDouble()));
            }

            count += points.Count;
            if (points.Count > 0)
                all.Add(new AnsweredSeries(tags, points));
            if (all.Count > SeriesQuery.MaxSeries || count > SeriesQuery.MaxPoints)
                throw SeriesQuery.TooMuch();
        }

        return all;
    }

    private static ServerAnswer? Parse(string body)
    {
        try
        {
            return JsonSerializer.Deserialize<ServerAnswer>(body, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record ServerAnswer(List<InfluxResult>? Results, string? Error);

    private sealed record InfluxResult(List<InfluxSeries>? Series, string? Error);

    private sealed record InfluxSeries(Dictionary<string, string?>? Tags, List<List<JsonElement>>? Values);
}
