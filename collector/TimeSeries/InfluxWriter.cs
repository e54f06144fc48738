using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Carries queued points to an InfluxDB 1.x: gzip, in batches, oldest first, until it has them.</summary>
/// <remarks>While the server is down points wait in the queue. What it refuses for good is logged with its words and does not hold up the rest.</remarks>
internal sealed partial class InfluxWriter(
    InfluxOptions options, StateStore store, PointQueue queue, HttpClient http, TimeProvider time, ILogger<InfluxWriter> logger)
    : BackgroundService
{
    /// <summary>Where the server's throughput levels off.</summary>
    private const int BatchLines = 10_000;

    /// <summary>How long points wait for others to fill their batch.</summary>
    private static readonly TimeSpan GatherTime = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    private bool _isDown;

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(WriteAllAsync, time, logger, stopping);

    private async Task WriteAllAsync(CancellationToken stopping)
    {
        var delay = FirstDelay;
        var hasGathered = false;
        while (!stopping.IsCancellationRequested)
        {
            // Taken before the read, so that points added in between are not slept through.
            var added = queue.Added;
            var batches = store.Read(transaction => transaction.Points.Oldest(BatchLines));
            if (batches.Count == 0)
            {
                await added.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            if (!hasGathered && batches.Sum(batch => batch.LineCount) < BatchLines)
            {
                await Task.Delay(GatherTime, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                hasGathered = true;
                continue;
            }

            hasGathered = false;

            if (await WriteAsync(batches, stopping))
            {
                store.Write(transaction => transaction.Points.DeleteUpTo(batches[^1].Id));
                delay = FirstDelay;
                continue;
            }

            var jittered = delay * (0.75 + (Random.Shared.NextDouble() / 2));
            await Task.Delay(jittered, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    /// <returns>Whether the batches are done with: written, or refused for good.</returns>
    private async Task<bool> WriteAsync(IReadOnlyList<StoredPoints> batches, CancellationToken stopping)
    {
        try
        {
            using var response = await http.PostAsync(options.WriteUri, Body(batches), stopping);
            var words = response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync(stopping);
            switch (response.StatusCode)
            {
                case HttpStatusCode.NoContent or HttpStatusCode.OK:
                    Recovered();
                    return true;
                case HttpStatusCode.NotFound:
                    return await CreateDatabaseAsync(stopping);
                case HttpStatusCode.BadRequest:
                    // The server wrote the good lines; the others will never be better.
                    Log.Refused(logger, words.Trim());
                    Recovered();
                    return true;
                default:
                    Down($"it answered {(int)response.StatusCode} {words.Trim()}");
                    return false;
            }
        }
        catch (Exception e) when (!stopping.IsCancellationRequested && e is HttpRequestException or TaskCanceledException)
        {
            Down(e.Message);
            return false;
        }
    }

    /// <returns>False: the points still have to be written.</returns>
    private async Task<bool> CreateDatabaseAsync(CancellationToken stopping)
    {
        using var response = await http.PostAsync(options.CreateDatabaseUri, null, stopping);
        if (!response.IsSuccessStatusCode)
            Down($"database {options.Database} is missing and cannot be created: {(int)response.StatusCode}");
        return false;
    }

    private static ByteArrayContent Body(IReadOnlyList<StoredPoints> batches)
    {
        var body = new MemoryStream();
        using (var gzip = new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var batch in batches)
                gzip.Write(batch.Lines);
        }

        var content = new ByteArrayContent(body.GetBuffer(), 0, (int)body.Length);
        content.Headers.ContentType = new MediaTypeHeaderValue("text/plain") { CharSet = "utf-8" };
        content.Headers.ContentEncoding.Add("gzip");
        return content;
    }

    private void Down(string reason)
    {
        if (!_isDown)
            Log.Down(logger, options.Url, reason);
        _isDown = true;
    }

    private void Recovered()
    {
        if (_isDown)
            Log.Up(logger, options.Url);
        _isDown = false;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "InfluxDB at {Url} does not take points: {Reason}. They wait on disk; deviations and alerts are not affected")]
        public static partial void Down(ILogger logger, Uri url, string reason);

        [LoggerMessage(2, LogLevel.Information, "InfluxDB at {Url} takes points again")]
        public static partial void Up(ILogger logger, Uri url);

        [LoggerMessage(3, LogLevel.Error, "InfluxDB refused points for good: {Words}")]
        public static partial void Refused(ILogger logger, string words);
    }
}
