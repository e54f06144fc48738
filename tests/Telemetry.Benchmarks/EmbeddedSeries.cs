using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Collector.TimeSeries.Embedded;

namespace Telemetry.Benchmarks;

/// <summary>The embedded store of time series, with a fleet that samples every ten seconds.</summary>
internal static class EmbeddedSeries
{
    private static readonly DateTimeOffset Start = new(2026, 3, 3, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <param name="PointsPerSecond">Written, chunks included.</param>
    /// <param name="Load">How often it is faster than the fleet samples.</param>
    /// <param name="BytesPerPoint">In the file, of all three resolutions; half of the fields are counters and constants, half are noise.</param>
    public sealed record Figures(long Points, double PointsPerSecond, double Load, double FlushSeconds, double BytesPerPoint, double OneInstanceMilliseconds, double FleetMilliseconds);

    public static async Task<Figures> Run(string folder, int instances, int series, int fields, TimeSpan time)
    {
        var clock = new SetClock { Now = Start };
        using var store = EmbeddedStore.Open(folder, new EmbeddedOptions(), clock, NullLogger<EmbeddedStore>.Instance);
        var random = new Random(1);
        var (points, id, took, flushed, flushes) = (0L, 0L, TimeSpan.Zero, TimeSpan.Zero, 0);
        for (var at = Start; at < Start + time; at += Interval)
        {
            clock.Now = at;
            var batches = Enumerable.Range(0, instances).Select(instance => Batch(++id, instance, at)).ToList();
            var begun = Stopwatch.GetTimestamp();
            foreach (var parcel in batches.Chunk(100))
                store.Append(parcel);
            took += Stopwatch.GetElapsedTime(begun);
            points += (long)instances * series;
            if ((at - Start).Ticks % TimeSpan.FromMinutes(5).Ticks == TimeSpan.FromMinutes(5).Ticks - Interval.Ticks)
            {
                begun = Stopwatch.GetTimestamp();
                store.Flush();
                flushed += Stopwatch.GetElapsedTime(begun);
                flushes++;
            }
        }

        store.Flush();
        var end = Start + time;
        var one = await Milliseconds(store, new SeriesQuery("m1", "f0", Aggregate.Mean, Start, end, TimeSpan.FromMinutes(1)) { Where = [new("host", "h1")] });
        var fleet = await Milliseconds(store, new SeriesQuery("m1", "f0", Aggregate.Mean, Start, end, TimeSpan.FromMinutes(10)) { By = ["host"] });
        var perSecond = points / (took + flushed).TotalSeconds;
        return new Figures(points, perSecond, perSecond / (instances * series / Interval.TotalSeconds), flushed.TotalSeconds / flushes, (double)store.Bytes / points, one, fleet);

        StoredPoints Batch(long number, int instance, DateTimeOffset at)
        {
            var text = new StringBuilder();
            var seconds = (long)(at - Start).TotalSeconds;
            for (var i = 0; i < series; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"m{i},host=h{instance},n={i} ");
                for (var field = 0; field < fields; field++)
                {
                    text.Append(field == 0 ? "" : ",");
                    if (field % 4 == 0)
                        text.Append(CultureInfo.InvariantCulture, $"f{field}={seconds * 1000 * (field + 1)}i");
                    else if (field % 4 == 2)
                        text.Append(CultureInfo.InvariantCulture, $"f{field}=4096i");
                    else
                        text.Append(CultureInfo.InvariantCulture, $"f{field}={random.NextDouble() * 100}");
                }

                text.Append(CultureInfo.InvariantCulture, $" {at.ToUnixTimeMilliseconds()}000000\n");
            }

            return new StoredPoints(number, Encoding.UTF8.GetBytes(text.ToString()), series, Owner: null);
        }
    }

    private static async Task<double> Milliseconds(EmbeddedStore store, SeriesQuery query)
    {
        await store.QueryAsync(query, CancellationToken.None);
        var begun = Stopwatch.GetTimestamp();
        await store.QueryAsync(query, CancellationToken.None);
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
