using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;

namespace Telemetry.Collector.TimeSeries;

internal enum InfluxOutcome
{
    Taken,

    /// <summary>Some lines of it, or all, will never be taken.</summary>
    Refused,

    /// <summary>Not in one piece.</summary>
    TooBig,

    /// <summary>Later, as it is.</summary>
    NotNow,
}

/// <param name="Words">The server's.</param>
internal sealed record InfluxAnswer(InfluxOutcome Outcome, string Words = "");

/// <summary>Writes to an InfluxDB 1.x, and makes the database if it is missing.</summary>
internal sealed class InfluxClient(InfluxOptions options, HttpClient http)
{
    public Uri Url => options.Url;

    public async Task<InfluxAnswer> WriteAsync(PointParcel parcel, CancellationToken stopping)
    {
        try
        {
            using var response = await http.PostAsync(options.WriteUri, Body(parcel), stopping);
            var words = response.IsSuccessStatusCode ? "" : (await response.Content.ReadAsStringAsync(stopping)).Trim();
            return response.StatusCode switch
            {
                HttpStatusCode.NoContent or HttpStatusCode.OK => new InfluxAnswer(InfluxOutcome.Taken),
                HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity => new InfluxAnswer(InfluxOutcome.Refused, words),
                HttpStatusCode.RequestEntityTooLarge => new InfluxAnswer(InfluxOutcome.TooBig, words.Length == 0 ? "413" : words),
                HttpStatusCode.NotFound => await CreateDatabaseAsync(stopping),
                _ => new InfluxAnswer(InfluxOutcome.NotNow, $"it answered {(int)response.StatusCode} {words}"),
            };
        }
        catch (Exception e) when (!stopping.IsCancellationRequested && e is HttpRequestException or TaskCanceledException)
        {
            return new InfluxAnswer(InfluxOutcome.NotNow, e.Message);
        }
    }

    private async Task<InfluxAnswer> CreateDatabaseAsync(CancellationToken stopping)
    {
        using var response = await http.PostAsync(options.CreateDatabaseUri, null, stopping);
        return new InfluxAnswer(
            InfluxOutcome.NotNow,
            response.IsSuccessStatusCode ? "" : $"database {options.Database} is missing and cannot be created: {(int)response.StatusCode}");
    }

    private static ByteArrayContent Body(PointParcel parcel)
    {
        var body = new MemoryStream();
        using (var gzip = new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var batch in parcel.Batches)
                gzip.Write(batch.Lines.Span);
        }

        var content = new ByteArrayContent(body.GetBuffer(), 0, (int)body.Length);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }
}
