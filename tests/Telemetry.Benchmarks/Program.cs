using System.Text.Json;
using Telemetry.Benchmarks;

// What the collector's store costs, measured on the real one. tests/bench.sh runs it and holds the budgets.
var entries = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 375_000;
var folder = Directory.CreateTempSubdirectory("telemetry-benchmark-");
try
{
    using var fleet = new StoredFleet(folder.FullName, entries);
    var reevaluated = args.Length > 1 ? int.Parse(args[1], System.Globalization.CultureInfo.InvariantCulture) : 1_000;
    var compare = await fleet.CompareMilliseconds(changes: 100, rounds: 41);
    var bytes = await fleet.BytesOfAnEqualInstance(instances: 1_000);
    var (seconds, grown) = await fleet.Reevaluate(instances: reevaluated);
    var decided = await fleet.Decide(instances: 500, changed: 20);
    Console.WriteLine(JsonSerializer.Serialize(new { entries, compare_ms = compare, equal_bytes = bytes, reevaluate_s = seconds, reevaluate_bytes = grown, acknowledge_wait_ms = decided.AcknowledgeWait, approve_s = decided.ApproveSeconds, approve_wait_ms = decided.ApproveWait }));
}
finally
{
    folder.Delete(recursive: true);
}
