using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.V1;

namespace Telemetry.Benchmarks;

/// <summary>Points as a fleet samples them: 50 a delivery, five fields each, ten seconds apart.</summary>
/// <remarks>Whole batches of the writer: one that is not full waits a second for more, and is no measure of its speed.</remarks>
internal sealed class PointLoad(int instances)
{
    private const int PointsOfADelivery = 50;

    private static readonly DateTimeOffset Begin = new(2026, 3, 3, 10, 0, 0, TimeSpan.Zero);

    private readonly List<EncodedSeries>[] _series = [.. Enumerable.Range(0, instances).Select(Name)];

    /// <summary>How long the encoder takes for a point, and what it allocates.</summary>
    public static (double Nanoseconds, double Bytes) Encode(int points)
    {
        var load = new PointLoad(instances: 1);
        var rows = Rows(0);
        using var lines = new LineProtocol();
        var time = Timestamp.FromDateTimeOffset(Begin);
        var best = (Nanoseconds: double.MaxValue, Bytes: 0.0);

        // The first rounds are compiled while they run.
        for (var round = 0; round < 10; round++)
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var begun = Stopwatch.GetTimestamp();
            for (var done = 0; done < points; done += PointsOfADelivery)
            {
                lines.Clear();
                for (var i = 0; i < PointsOfADelivery; i++)
                    lines.Append(load._series[0][i], rows[i], time);
            }

            var took = Stopwatch.GetElapsedTime(begun).TotalNanoseconds / points;
            if (took < best.Nanoseconds)
                best = (took, (GC.GetAllocatedBytesForCurrentThread() - allocated) / (double)points);
        }

        return best;
    }

    /// <summary>Fills the queue of a store.</summary>
    public async Task Fill(StateStore store, int points)
    {
        using var lines = new LineProtocol();
        var writes = new List<Task>();
        for (var delivery = 0; delivery < points / PointsOfADelivery; delivery++)
        {
            lines.Clear();
            var rows = Rows(delivery);
            var time = Timestamp.FromDateTimeOffset(Begin.AddSeconds(10 * (delivery / instances)));
            for (var i = 0; i < PointsOfADelivery; i++)
                lines.Append(_series[delivery % instances][i], rows[i], time);
            var bytes = lines.Lines.ToArray();
            writes.Add(store.WriteAsync(transaction => transaction.Points.Add(bytes, PointsOfADelivery)));
            if (writes.Count < 200)
                continue;
            await Task.WhenAll(writes);
            writes.Clear();
        }

        await Task.WhenAll(writes);
    }

    /// <summary>The batches as the writer sends them, for another client to send.</summary>
    public static void Dump(StateStore store, string folder, int lines)
    {
        var after = 0L;
        for (var number = 0; store.Read(transaction => transaction.Points.Next(lines, 8 << 20, after)) is { } next; number++)
        {
            using var file = File.Create(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"batch-{number:0000}.gz")));
            using var gzip = new GZipStream(file, CompressionLevel.Fastest);
            foreach (var batch in store.Read(transaction => transaction.Points.Between(next.First, next.Last)))
                gzip.Write(batch.Lines.Span);
            after = next.Last;
        }
    }

    /// <summary>Carries all that is queued to a server.</summary>
    /// <returns>How long it took, and processor time of this process.</returns>
    public static async Task<(double Seconds, double ProcessorSeconds)> Write(StateStore store, string folder, Uri url)
    {
        var time = TimeProvider.System;
        var options = new InfluxOptions(url, "telemetry");
        using var http = new HttpClient();
        using var target = new InfluxStore(options, new InfluxClient(options, http, time), store, time);
        var queue = new PointQueue(store, new StoreOptions(TimeSpan.FromDays(36_500)), time);
        using var writer = new PointWriter(
            target, queue, new SetAsideFile(folder, time), new TimeSeriesBoard(time), new NoticeBoard(store, time), time, NullLogger<PointWriter>.Instance);
        var processor = Environment.CpuUsage.TotalTime;
        var begun = time.GetTimestamp();
        await writer.StartAsync(CancellationToken.None);
        while (store.Read(transaction => transaction.Points.Next(1, 1, 0)) is not null)
            await Task.Delay(20);
        var took = time.GetElapsedTime(begun);
        await writer.StopAsync(CancellationToken.None);
        return (took.TotalSeconds, (Environment.CpuUsage.TotalTime - processor).TotalSeconds);
    }

    private static List<EncodedSeries> Name(int instance)
    {
        var names = new SeriesNames();
        var encoded = new List<EncodedSeries>();
        for (var i = 0u; i < PointsOfADelivery; i++)
        {
            var series = new Series { Id = i, Measurement = string.Create(CultureInfo.InvariantCulture, $"measurement_{i % 12}"), FloatFields = { "usage_user", "usage_system", "usage_idle" }, IntFields = { "total", "free" } };
            series.Tags.Add("host", string.Create(CultureInfo.InvariantCulture, $"web-{instance}.example.org"));
            series.Tags.Add("instance", string.Create(CultureInfo.InvariantCulture, $"i-{instance:x8}"));
            series.Tags.Add("part", string.Create(CultureInfo.InvariantCulture, $"part {i}"));
            names.Name(series);
            encoded.Add(names.Of(Row(i, 0))!.Value);
        }

        return encoded;
    }

    private static List<SeriesRow> Rows(int seed) => [.. Enumerable.Range(0, PointsOfADelivery).Select(i => Row((uint)i, seed))];

    private static SeriesRow Row(uint series, int seed)
    {
        var value = ((seed * 7919) + (int)series) % 10_000;
        return new SeriesRow { Series = series, FloatValues = { value / 100.0, value / 300.0, 100 - (value / 100.0) }, IntValues = { 16_777_216_000 + series, value * 4_096L } };
    }
}
