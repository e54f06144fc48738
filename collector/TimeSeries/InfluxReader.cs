using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Asks an InfluxDB on <c>/query</c>: 1.x, 2.x through a DBRP mapping, 3.</summary>
/// <param name="database">Of 2.x, what is mapped to the bucket.</param>
/// <param name="authorization">Null: the server wants none.</param>
internal sealed class InfluxReader(HttpClient http, Uri url, string database, Func<AuthenticationHeaderValue?>? authorization = null) : ISeriesReader
{
    private const int MaxAnswerBytes = 32 << 20;

    // 1.x says it with status 200, 3 with 404.
    private const string NoDatabase = "database not found";

    public async Task<IReadOnlyList<AnsweredSeries>> QueryAsync(SeriesQuery query, CancellationToken cancellation)
    {
        query.Checked();
        var (status, body) = await AskAsync(InfluxQl.Of(query), cancellation);
        if (status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            throw new SeriesException($"InfluxDB at {url} does not accept the collector's token for reading {database}: {Words(body)}");

        var answer = Parse(body);
        var problem = answer?.Error ?? answer?.Results?.Select(result => result.Error).FirstOrDefault(error => error is not null);
        if (problem?.Contains(NoDatabase, StringComparison.Ordinal) ?? false)
            return [];
        if (problem is not null || status != HttpStatusCode.OK || answer is null)
            throw new SeriesException($"InfluxDB at {url} does not answer: {(int)status} {problem ?? Words(body)}");
        return ToSeries(query, answer.Results?.SelectMany(result => result.Series ?? []) ?? []);
    }

    private async Task<(HttpStatusCode Status, byte[] Body)> AskAsync(string text, CancellationToken cancellation)
    {
        // In the body, for lists of tags are long.
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(url, $"query?db={Uri.EscapeDataString(database)}&epoch=ms"));
        request.Content = new FormUrlEncodedContent([new("q", text)]);
        request.Headers.Authorization = authorization?.Invoke();
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            await response.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellation);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellation));
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw SeriesQuery.TooMuch();
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && e is HttpRequestException or TaskCanceledException)
        {
            throw new SeriesException($"InfluxDB at {url} does not answer: {e.Message}");
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

    private static ServerAnswer? Parse(byte[] body)
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

    private static string Words(byte[] body)
    {
        const int MaxWords = 500;
        return System.Text.Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, MaxWords)).Trim();
    }

    private sealed record ServerAnswer(List<InfluxResult>? Results, string? Error);

    private sealed record InfluxResult(List<InfluxSeries>? Series, string? Error);

    private sealed record InfluxSeries(Dictionary<string, string?>? Tags, List<List<JsonElement>>? Values);
}
