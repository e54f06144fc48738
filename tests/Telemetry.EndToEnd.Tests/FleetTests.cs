using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>The simulated fleet, small: what the benchmark measures with ten thousand works with a hundred.</summary>
public sealed class FleetTests : IAsyncDisposable
{
    private const int Agents = 100, Entries = 2_000, Own = 3;

    private static readonly string Simulator = Path.Combine(AppContext.BaseDirectory, "telemetry-fleet-simulator");

    private readonly Installation _installation = new(collectorSettings: """
        [timeseries]
        kind = "influxdb"
        url = "http://127.0.0.1:9"
        """);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task CertifiedFleet_HasItsDeviationsJudgedAndMeasured()
    {
        await _installation.StartCollector();
        await using var fleet = Simulate(
            "--operators", _installation.Server, "--token-file", _installation.TokenFile, "--storm", $"{Agents / 2}", "--pid", $"{_installation.Collector.ProcessId}");
        var steady = await Line(fleet, 0);
        var storm = await Line(fleet, 1);
        await Eventually.True(() => fleet.HasEnded, "the simulator to end", Cancellation, () => fleet.Log);
        Assert.Equal(0, fleet.ExitCode);

        Assert.InRange(Number(steady, "deviations"), 10, 1_000);
        Assert.InRange(steady.GetProperty("deviation_p50").GetDouble(), 0.1, steady.GetProperty("deviation_p99").GetDouble());
        Assert.Equal(0, Number(steady, "untold"));
        Assert.InRange(steady.GetProperty("collector_cpu").GetDouble(), 0.001, Environment.ProcessorCount);

        Assert.Equal((Agents / 2, Agents, 0), (Number(storm, "storm"), Number(storm, "connected"), Number(storm, "refused")));
        Assert.InRange(storm.GetProperty("welcomed_p50").GetDouble(), 0.1, storm.GetProperty("acked_p99").GetDouble());

        // What the first one was is what all are held to: each differs by its own entries, and by what changed since.
        var baseline = (await _installation.Succeed("baselines", "list")).EnumerateArray().Single();
        Assert.Equal(Entries, baseline.GetProperty("entries").GetInt32());
        var open = (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray().ToList();
        Assert.InRange(open.Count, (Own * (Agents - 1)) + (Agents / 2) - 10, 2 * Own * Agents);
        Assert.All(open, deviation => Assert.Equal("fleet:1", deviation.GetProperty("baseline").GetString()));
    }

    [Fact]
    public async Task Fleet_WhoseCollectorIsKilled_ComesBackAndIsStoredAndCountedWhole()
    {
        await _installation.StartCollector();
        await using var fleet = Simulate("--await-restart", "--stay");
        var steady = await Line(fleet, 0);
        var waiting = 0L;
        await Eventually.True(async () => (waiting = await Sum("waiting")) >= 60, "acknowledged points to wait", Cancellation, () => fleet.Log);
        await _installation.Collector.Kill();
        await _installation.StartCollector();
        var back = await Line(fleet, 1);

        Assert.Equal((Agents, 0, 0), (Number(steady, "connected"), Number(steady, "broken"), Number(steady, "refused")));
        Assert.InRange(Number(steady, "heads"), 10, 1_000);
        Assert.Equal((Agents, 0), (Number(back, "connected"), Number(back, "refused")));
        var instances = (await _installation.Succeed("instances", "list")).EnumerateArray().ToList();
        Assert.Equal(Agents, instances.Count(instance => instance.GetProperty("head").ValueKind == JsonValueKind.Object));

        // Up is how long it was heard of, which is no time at all at first.
        List<string?> states = [];
        await Eventually.True(
            async () => (states = [.. (await _installation.Succeed("instances", "availability", "i-000007")).EnumerateArray().Select(interval => interval.GetProperty("state").GetString())])
                .Contains("up"),
            "it to be up", Cancellation, () => string.Join(' ', states));
        Assert.DoesNotContain("down", states);

        // Nobody takes them: what agents had acknowledged waits, though the collector was killed.
        Assert.InRange(await Sum("waiting"), waiting, long.MaxValue);
        Assert.Equal((0, 0), (await Sum("stored"), await Sum("rejected")));
    }

    /// <summary>Of all hours: one may begin while the test runs.</summary>
    private async Task<long> Sum(string count) =>
        (await _installation.Succeed("reports", "coverage", "--instance", "i-000007")).EnumerateArray().Sum(account => account.GetProperty(count).GetInt64());

    private RunningProgram Simulate(params string[] arguments) => RunningProgram.Start(
        Simulator,
        ["--collector", _installation.AgentsServer, "--agents", $"{Agents}", "--entries", $"{Entries}", "--own", $"{Own}", "--interval", "1", "--seconds", "3", "--drift", "20", .. arguments]);

    private static int Number(JsonElement result, string name) => result.GetProperty(name).GetInt32();

    private static async Task<JsonElement> Line(RunningProgram fleet, int number)
    {
        var line = await Eventually.Get(
            () => Task.FromResult(fleet.Log.Split('\n').Where(line => line.StartsWith('{') && line.EndsWith('}')).Skip(number).FirstOrDefault()),
            "the simulator to tell", Cancellation, () => fleet.Log);
        return JsonDocument.Parse(line).RootElement;
    }
}
