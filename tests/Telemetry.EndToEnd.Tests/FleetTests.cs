using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>The simulated fleet, small: what the benchmark measures with ten thousand works with a hundred.</summary>
public sealed class FleetTests : IAsyncDisposable
{
    private const int Agents = 100;

    private static readonly string Simulator = Path.Combine(AppContext.BaseDirectory, "telemetry-fleet-simulator");

    private readonly Installation _installation = new(collectorSettings: """
        [timeseries]
        kind = "influxdb"
        url = "http://127.0.0.1:9"
        """);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Fleet_WhoseCollectorIsKilled_ComesBackAndIsStoredAndCountedWhole()
    {
        await _installation.StartCollector();
        await using var fleet = RunningProgram.Start(
            Simulator,
            ["--collector", _installation.AgentsServer, "--agents", $"{Agents}", "--entries", "2000", "--interval", "1", "--seconds", "3", "--drift", "20", "--await-restart"]);
        var steady = await Line(fleet, 0);
        await _installation.Collector.Kill();
        await _installation.StartCollector();
        var back = await Line(fleet, 1);

        Assert.Equal((Agents, 0, 0), (Number(steady, "connected"), Number(steady, "broken"), Number(steady, "refused")));
        Assert.InRange(Number(steady, "heads"), 10, 1_000);
        Assert.Equal((Agents, 0), (Number(back, "connected"), Number(back, "refused")));
        var instances = (await _installation.Succeed("instances", "list")).EnumerateArray().ToList();
        Assert.Equal(Agents, instances.Count(instance => instance.GetProperty("head").ValueKind == JsonValueKind.Object));

        var available = await _installation.Succeed("instances", "availability", "i-000007");
        Assert.Contains("up", available.EnumerateArray().Select(interval => interval.GetProperty("state").GetString()));
        Assert.DoesNotContain("down", available.EnumerateArray().Select(interval => interval.GetProperty("state").GetString()));
        var account = (await _installation.Succeed("reports", "coverage", "--instance", "i-000007"))[0];
        Assert.InRange(account.GetProperty("stored").GetInt64(), 60, long.MaxValue);
        Assert.Equal(0, account.GetProperty("rejected").GetInt64());
    }

    private static int Number(JsonElement result, string name) => result.GetProperty(name).GetInt32();

    private static async Task<JsonElement> Line(RunningProgram fleet, int number)
    {
        var line = await Eventually.Get(
            () => Task.FromResult(fleet.Log.Split('\n').Where(line => line.StartsWith('{') && line.EndsWith('}')).Skip(number).FirstOrDefault()),
            "the simulator to tell", Cancellation, () => fleet.Log);
        return JsonDocument.Parse(line).RootElement;
    }
}
