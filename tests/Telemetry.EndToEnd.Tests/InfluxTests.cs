using System.Text.Json;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Health and drift in a real InfluxDB, read back with its own query language.</summary>
public sealed class InfluxTests : IAsyncDisposable
{
    private readonly Influxd _influxd = new();
    private readonly Installation _installation;

    public InfluxTests() =>
        _installation = new Installation(
            collectorSettings: $"""
                [timeseries]
                kind = "influxdb"
                url = "{_influxd.Url}"
                """,
            agentSettings: """
                [health]
                interval = "1s"
                """);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        await _influxd.DisposeAsync();
    }

    [Fact]
    public async Task CpuMemAndDrift_AreReadBackWithInfluxQl()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        await _influxd.Start();
        File.WriteAllText(_installation.Watched + "/conf", "a");
        var instance = await _installation.StartCertified();
        File.WriteAllText(_installation.Watched + "/conf", "b");
        await _installation.Open($"changed {_installation.Watched}/conf");

        var cpu = await Row("SELECT usage_user, usage_idle, host FROM cpu WHERE cpu = 'cpu-total' ORDER BY time DESC LIMIT 1");
        Assert.InRange(cpu["usage_user"].GetDouble() + cpu["usage_idle"].GetDouble(), 0, 100.001);
        Assert.Equal(Environment.MachineName, cpu["host"].GetString());

        var mem = await Row("SELECT total, used, used_percent FROM mem ORDER BY time DESC LIMIT 1");
        Assert.Equal(MemTotal(), mem["total"].GetInt64());
        Assert.InRange(mem["used_percent"].GetDouble(), 0.1, 100);

        var drift = await Row($"SELECT open, medium FROM drift WHERE instance = '{instance}' AND open = 1 ORDER BY time DESC LIMIT 1");
        Assert.Equal(1, drift["medium"].GetInt64());

        await Row($"SELECT compliant, coverage, undecided FROM compliance WHERE instance = '{instance}' AND compliant = 0 AND undecided = 1 LIMIT 1");
        await Row($"SELECT connected, since FROM session WHERE instance = '{instance}' AND connected = 1 LIMIT 1");
        var series = await _installation.Succeed("reports", "series", "mem", "total", "--by", "host", "--aggregate", "last");
        Assert.Equal(Environment.MachineName, series[0].GetProperty("tags").GetProperty("host").GetString());
        Assert.Equal(MemTotal(), series[0].GetProperty("points")[0].GetProperty("value").GetDouble());
    }

    [Fact]
    public async Task Points_WhileTheServerIsDown_WaitAndArrive()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        var instance = await _installation.StartCertified();
        await Eventually.True(
            async () => (await _installation.Succeed("reports", "coverage", "--instance", instance)).EnumerateArray()
                .Any(account => account.GetProperty("waiting").GetInt64() > 0),
            "points of the agent to wait", Cancellation, () => _installation.Collector.Log);
        await Logged("does not take points");

        var started = TimeProvider.System.GetUtcNow().UtcDateTime;
        await _influxd.Start();

        // Several requests are under way at once: what was first need not be there first.
        await Eventually.True(
            async () => (await Row("SELECT FIRST(total) FROM mem"))["time"].GetDateTime() < started,
            "a point that is older than the server", Cancellation, () => _installation.Collector.Log);
    }

    [Fact]
    public async Task Line_ThatTheServerRefuses_IsRejectedAloneWithItsReason()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        await _influxd.Start();
        await _installation.StartCollector();
        var sampled = TimeProvider.System.GetUtcNow().AddDays(-1);
        await using var agent = await WireAgent.Connect(_installation.AgentsServer, "i-1", TimeProvider.System.GetUtcNow());
        await agent.Deliver(Batch(1, Point("typed", new Field { Name = "x", IntValue = 1 })));
        await Row("SELECT x FROM typed");

        await agent.Deliver(Batch(
            2, Point("before", new Field { Name = "x", IntValue = 1 }), Point("typed", new Field { Name = "x", StringValue = "text" }), Point("after", new Field { Name = "x", IntValue = 1 })));

        await Row("SELECT x FROM before");
        await Row("SELECT x FROM after");
        var accounts = default(JsonElement);
        await Eventually.True(
            async () => (accounts = await _installation.Succeed("reports", "coverage", "--instance", "i-1", "--since", $"{sampled.UtcDateTime.AddHours(-2):O}")).EnumerateArray()
                .Any(account => Counts(account) == "collected 4, stored 3, rejected 1" && account.GetProperty("rejections").GetProperty("refused_by_server").GetInt64() == 1),
            "the refused line to be counted", Cancellation, () => accounts + _installation.Collector.Log);
        await Logged("field type conflict");

        static string Counts(JsonElement account) => string.Join(
            ", ",
            account.EnumerateObject().Where(count => count.Value.ValueKind == JsonValueKind.Number && count.Value.GetInt64() > 0).Select(count => $"{count.Name} {count.Value}"));

        static HealthBatch Batch(ulong sequence, params Point[] points)
        {
            var batch = new HealthBatch { Epoch = 1, Sequence = sequence, Collected = sequence == 1 ? 1u : 4u };
            batch.Points.AddRange(points);
            return batch;
        }

        // All in one hour, which is long over and kept for long.
        Point Point(string measurement, Field field) => new()
        {
            Measurement = measurement,
            Time = sampled.ToTimestamp(),
            Fields = { field },
        };
    }

    /// <summary>What the agent has not told survives its kill: who made a change, and the samples before and after the kill.</summary>
    [Fact]
    public async Task Agent_KilledWhileTheCollectorIsAway_TellsWhoAndAllSamplesAfterwards()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        await _influxd.Start();
        File.WriteAllText(_installation.Watched + "/conf", "a");
        await _installation.StartCertified();
        await Row("SELECT total FROM mem LIMIT 1");

        await _installation.Collector.Stop();
        var started = Now();
        var before = await Samples(0);

        // Who made a change can be found out as long as he is there.
        await using (RunningProgram.Start("/bin/sh", ["-c", $"echo b > '{_installation.Watched}/conf'; while :; do sleep 0.1; done"]))
            await Spool("changes", records => records > 0);

        // The first may have been taken before, and was written since.
        await Samples(before + 2);
        await _installation.Agent.Kill();
        var killed = Now();
        await _installation.StartAgent();
        var waiting = await Spool("health", records => records > 0);
        await Samples(waiting + 2);
        var reached = Now();
        await _installation.StartCollector();

        var deviation = Assert.Single(await _installation.Open($"changed {_installation.Watched}/conf"));
        Assert.EndsWith("/dash", deviation.GetProperty("actor").GetProperty("exe").GetString(), StringComparison.Ordinal);
        await Row($"SELECT total FROM mem WHERE time > {Nanoseconds(started)} AND time < {Nanoseconds(killed)} LIMIT 1");
        await Row($"SELECT total FROM mem WHERE time > {Nanoseconds(killed)} AND time < {Nanoseconds(reached)} LIMIT 1");
        await Spool("health", records => records <= 1);
        await Spool("changes", records => records == 0);

        static DateTimeOffset Now() => TimeProvider.System.GetUtcNow();

        static string Nanoseconds(DateTimeOffset time) => $"{time.ToUnixTimeMilliseconds()}000000";
    }

    private Task Logged(string text) => Eventually.True(
        () => _installation.Collector.Log.Contains(text, StringComparison.Ordinal), text, Cancellation, () => _installation.Collector.Log);

    /// <summary>Waits until so many samples are not acknowledged.</summary>
    private Task<long> Samples(long least) => Spool("health", records => records >= least);

    private async Task<long> Spool(string lane, Predicate<long> isEnough) => (long)await Eventually.Get(
        async () =>
        {
            var status = await Finished.Run(Programs.Agent, ["status", "--config", _installation["agent.toml"]], environment: null);
            if (status.ExitCode != 0)
                return null;
            var spool = JsonDocument.Parse(status.Output).RootElement.GetProperty("spool").EnumerateArray();
            var records = spool.Single(one => one.GetProperty("lane").GetString() == lane).GetProperty("records").GetInt64();
            return isEnough(records) ? (object)records : null;
        },
        $"what waits in the lane '{lane}'",
        Cancellation,
        () => _installation.Agent.Log);

    /// <summary>The first row of a query, by column, once there is one.</summary>
    private Task<Dictionary<string, JsonElement>> Row(string query) =>
        Eventually.Get(() => _influxd.Query(query), query, Cancellation, () => _installation.Collector.Log + _installation.Agent.Log);

    private static long MemTotal() =>
        1024 * long.Parse(
            File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            System.Globalization.CultureInfo.InvariantCulture);
}
