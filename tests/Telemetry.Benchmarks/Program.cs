using System.Globalization;
using System.Text.Json;
using Telemetry.Benchmarks;

// What the collector's store costs, measured on the real one. tests/bench.sh runs it and holds the budgets.
//   store [ENTRIES]                   two manifests compared, and an instance that is what its baseline says
//   reevaluate ENTRIES [INSTANCES]    a fleet judged by a new version of its line
//   encode [POINTS]                   one point as line protocol
//   points URL [POINTS] [FOLDER]      queued points written to a real server; FOLDER: the same batches, for another client
//   decide [ENTRIES]                  one decision about a cause that 500 instances share, and how long an agent's head waits for it
//   series [INSTANCES]                an hour of a fleet's metrics in the embedded store, 60 points of 8 fields every 10 s each
if (args is ["encode", .. var count])
{
    var encoded = PointLoad.Encode(count.Length > 0 ? int.Parse(count[0], CultureInfo.InvariantCulture) : 3_000_000);
    Console.WriteLine(JsonSerializer.Serialize(new { ns_per_point = encoded.Nanoseconds, bytes_allocated_per_point = Math.Round(encoded.Bytes, 2) }));
    return 0;
}

if (args is ["points", var url, .. var load])
{
    await WritePoints(new Uri(url), load.Length > 0 ? int.Parse(load[0], CultureInfo.InvariantCulture) : 1_200_000, load.ElementAtOrDefault(1));
    return 0;
}

if (args is ["series", ..])
    return await Series(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100);

var entries = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 375_000;
var folder = Directory.CreateTempSubdirectory("telemetry-benchmark-");
try
{
    using var fleet = new StoredFleet(folder.FullName, entries);
    switch (args.FirstOrDefault() ?? "store")
    {
        case "store":
            var compare = await fleet.CompareMilliseconds(changes: 100, rounds: 41);
            var bytes = await fleet.BytesOfAnEqualInstance(instances: 1_000);
            Console.WriteLine(JsonSerializer.Serialize(new { entries, compare_ms = compare, equal_bytes = bytes }));
            return 0;
        case "reevaluate":
            var instances = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 1_000;
            var reevaluation = await fleet.Reevaluate(instances);
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                entries,
                instances,
                seconds = reevaluation.Took.TotalSeconds,
                transitions = reevaluation.Transitions,
                grown_mb = reevaluation.GrownBytes / 1048576.0,
            }));
            return 0;
        case "decide":
            var decided = await fleet.Decide(instances: 500, changed: 20);
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                entries,
                acknowledge_wait_ms = decided.AcknowledgeWait,
                approve_s = decided.ApproveSeconds,
                approve_wait_ms = decided.ApproveWait,
            }));
            return 0;
        default:
            await Console.Error.WriteLineAsync($"There is no benchmark '{args[0]}'; there are: store, reevaluate, decide, encode, points, series.");
            return 2;
    }
}
finally
{
    folder.Delete(recursive: true);
}

static async Task WritePoints(Uri url, int points, string? batches)
{
    var folder = Directory.CreateTempSubdirectory("telemetry-benchmark-");
    try
    {
        using var store = Telemetry.Collector.Storage.StateStore.Open(folder.FullName);
        await new PointLoad(instances: 100).Fill(store, points);
        if (batches is not null)
            PointLoad.Dump(store, batches, lines: 10_000);
        var (seconds, processor) = await PointLoad.Write(store, folder.FullName, url);
        Console.WriteLine(JsonSerializer.Serialize(new { points, seconds, points_per_second = points / seconds, cpu_s_per_million = processor / points * 1e6 }));
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}

static async Task<int> Series(int instances)
{
    var folder = Directory.CreateTempSubdirectory("telemetry-benchmark-");
    try
    {
        var figures = await EmbeddedSeries.Run(folder.FullName, instances, series: 60, fields: 8, TimeSpan.FromHours(1));
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            instances,
            points = figures.Points,
            points_per_second = figures.PointsPerSecond,
            load = figures.Load,
            flush_s = figures.FlushSeconds,
            bytes_per_point = figures.BytesPerPoint,
            one_instance_ms = figures.OneInstanceMilliseconds,
            fleet_ms = figures.FleetMilliseconds,
        }));
        return 0;
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}
