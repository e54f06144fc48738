using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Carries queued points to an InfluxDB 1.x: gzip, in batches, oldest first, until it has them.</summary>
/// <remarks>While the server is down points wait in the queue. What it refuses for good is set aside with its words and does not hold up the rest.</remarks>
internal sealed partial class InfluxWriter(
    InfluxClient client, PointQueue queue, TimeProvider time, ILogger<InfluxWriter> logger)
    : BackgroundService
{
    /// <summary>Where the server's throughput levels off.</summary>
    private const int BatchLines = 10_000;

    /// <summary>Before it is compressed.</summary>
    private const long BatchBytes = 8 << 20;

    /// <summary>To find the lines that the server refuses; beyond that all are given up among which they are.</summary>
    private const int MaxHalvings = 200;

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
            var batches = queue.Oldest(BatchLines, BatchBytes);
            if (batches.Count == 0)
            {
                await added.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            if (!hasGathered && batches.Sum(batch => batch.LineCount) < BatchLines && batches.Sum(batch => batch.Lines.Length) < BatchBytes / 2)
            {
                await Task.Delay(GatherTime, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                hasGathered = true;
                continue;
            }

            hasGathered = false;

            if (await WriteAsync(new PointParcel(batches), stopping) is { } refused)
            {
                queue.Done(batches, refused);
                delay = FirstDelay;
                continue;
            }

            var jittered = delay * (0.75 + (Random.Shared.NextDouble() / 2));
            await Task.Delay(jittered, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        }
    }

    /// <returns>What the server will never take; it has the rest. Null: it is all to be written later.</returns>
    private async Task<List<RefusedParcel>?> WriteAsync(PointParcel all, CancellationToken stopping)
    {
        var refused = new List<RefusedParcel>();
        var halvings = 0;
        var open = new Stack<PointParcel>([all]);
        while (open.TryPop(out var parcel))
        {
            var answer = await client.WriteAsync(parcel, stopping);
            switch (answer.Outcome)
            {
                case InfluxOutcome.NotNow:
                    if (answer.Words.Length > 0)
                        Down(answer.Words);
                    return null;
                case InfluxOutcome.Refused or InfluxOutcome.TooBig when halvings < MaxHalvings && parcel.Halves() is var (first, second):
                    halvings++;
                    open.Push(second);
                    open.Push(first);
                    break;
                case InfluxOutcome.Refused or InfluxOutcome.TooBig:
                    var reason = answer.Outcome == InfluxOutcome.TooBig ? RejectionReason.TooBig : RejectionReason.RefusedByServer;
                    refused.Add(new RefusedParcel(parcel, reason, answer.Words));
                    break;
            }
        }

        Recovered();
        if (refused.Count > 0)
            Log.Refused(logger, refused.Sum(parcel => parcel.Parcel.LineCount), refused[0].Words);
        return refused;
    }

    private void Down(string reason)
    {
        if (!_isDown)
            Log.Down(logger, client.Url, reason);
        _isDown = true;
    }

    private void Recovered()
    {
        if (_isDown)
            Log.Up(logger, client.Url);
        _isDown = false;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "InfluxDB at {Url} does not take points: {Reason}. They wait on disk, up to timeseries.queue_mib; then the oldest give way. Deviations and alerts are not affected")]
        public static partial void Down(ILogger logger, Uri url, string reason);

        [LoggerMessage(2, LogLevel.Information, "InfluxDB at {Url} takes points again")]
        public static partial void Up(ILogger logger, Uri url);

        [LoggerMessage(3, LogLevel.Error, "InfluxDB refused {Lines} points for good, the first with these words: {Words}. The others were written; 'telemetryctl reports coverage' counts those refused")]
        public static partial void Refused(ILogger logger, long lines, string words);
    }
}
