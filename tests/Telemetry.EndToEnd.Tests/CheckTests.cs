using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Vendors' checks, from a layer's file on a machine to the collector: real plug-ins, and a real InfluxDB for what they measure.</summary>
public sealed class CheckTests : IAsyncDisposable
{
    private const string Plugins = "/usr/lib/nagios/plugins/";

    private readonly Influxd _influxd = new();
    private readonly TemporaryDirectory _layers = new();
    private readonly Installation _installation;

    public CheckTests() =>
        _installation = new Installation(
            collectorSettings: $"""
                [timeseries]
                kind = "influxdb"
                url = "{_influxd.Url}"
                """,
            agentSettings: $"""
                [health]
                interval = "1s"
                [checks]
                layers = "{_layers.Path}"
                user = "nobody"
                """);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        await _influxd.DisposeAsync();
        _layers.Dispose();
    }

    [Fact]
    public async Task Checks_OfALayer_AreShownWithTheirStateAndMeasured()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        await _influxd.Start();
        Layer($"""
            name = "web"
            owner = "acme"
            [[checks]]
            name = "load"
            command = ["{Plugins}check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000"]
            interval = "3s"
            timeout = "3s"
            [[checks]]
            name = "broken"
            command = ["/bin/sh", "-c", "echo why >&2; exit 2"]
            interval = "3s"
            timeout = "3s"
            [[checks]]
            name = "hangs"
            command = ["/bin/sleep", "1000"]
            interval = "60s"
            timeout = "60s"
            """);
        await _installation.StartCollector();
        await _installation.StartAgent();
        var id = (await _installation.FirstHead()).GetProperty("id").GetString()!;

        // The one that hangs says nothing yet, and keeps no other waiting. One that had to wait for a processor may have run out of time before.
        var checks = await Checks(id, all => all[0].GetProperty("text").GetString()!.Contains("why", StringComparison.Ordinal), "ok load", "unknown broken");
        Assert.Equal(("web", "acme", false), (checks[0].GetProperty("layer").GetString(), checks[0].GetProperty("owner").GetString(), checks[0].GetProperty("defines_service").GetBoolean()));

        var load = await Row("SELECT value, critical_gt, host FROM check WHERE check = 'load' AND layer = 'web' AND owner = 'acme' AND label = 'load5' ORDER BY time DESC LIMIT 1");
        Assert.Equal(2000, load["critical_gt"].GetDouble());
        Assert.Equal(Environment.MachineName, load["host"].GetString());
        var state = await Row("SELECT state FROM check WHERE check = 'broken' AND layer = 'web' ORDER BY time DESC LIMIT 1");
        Assert.Equal(3, state["state"].GetInt64());
        var probe = await Row("SELECT outcome, duration_ns FROM agent WHERE probe = 'cpu' ORDER BY time DESC LIMIT 1");
        Assert.InRange(probe["duration_ns"].GetInt64(), 1, 5_000_000_000);
    }

    [Fact]
    public async Task Check_ThatDefinesTheService_MakesTheInstanceDownAndUpAgain()
    {
        // Root of the files, not of the plug-in: that may only read.
        File.WriteAllText(_layers["answer"], "2");
        Shell.Run("/", $"chmod 755 '{_layers.Path}'");
        Layer($"""
            name = "web"
            [[checks]]
            name = "http"
            command = ["/bin/sh", "-c", "echo as told; exit $(cat {_layers["answer"]})"]
            interval = "3s"
            timeout = "3s"
            defines_service = true
            """);
        await _installation.StartCollector();
        await _installation.StartAgent();
        var id = (await _installation.FirstHead()).GetProperty("id").GetString()!;
        await Checks(id, "critical http");

        await File.WriteAllTextAsync(_layers["answer"], "0", Cancellation);
        var ok = Assert.Single(await Checks(id, "ok http"));

        Assert.Equal("critical", ok.GetProperty("before").GetString());
        await Eventually.True(
            async () =>
            {
                // Up again is what it is told to be after the change, not at it.
                var states = (await _installation.Succeed("instances", "availability", id)).EnumerateArray()
                    .Select(interval => interval.GetProperty("state").GetString())
                    .Where(state => state != "unknown")
                    .ToList();
                return states.Contains("down") && states[^1] == "up";
            },
            "it to have been down, and to be up", Cancellation, () => _installation.Collector.Log);
    }

    [Fact]
    public async Task CheckConfig_ListsProbesAndChecks()
    {
        Layer("name = \"web\"\n[[checks]]\nname = \"http\"\ncommand = [\"/bin/true\"]\n");
        await File.WriteAllTextAsync(_installation["check.toml"], $"[health.intervals]\ndisk = \"90s\"\n[checks]\nlayers = \"{_layers.Path}\"\n", Cancellation);

        var right = await Finished.Run(Programs.Agent, ["check-config", "--config", _installation["check.toml"]], environment: null);
        Layer("[[checks]]\nname = \"http\"\ncommand = [\"true\"]\n");
        var wrong = await Finished.Run(Programs.Agent, ["check-config", "--config", _installation["check.toml"]], environment: null);

        Assert.Equal(0, right.ExitCode);
        Assert.Contains("probe cpu every 10s", right.Output);
        Assert.Contains("probe disk every 90s", right.Output);
        Assert.Contains("probe systemd_units every 60s", right.Output);
        Assert.Contains("check web/http every 60s, 10s at most: /bin/true", right.Output);
        Assert.Equal(78, wrong.ExitCode);
        Assert.Contains("absolute path of a program", wrong.Error);
    }

    private void Layer(string text) => Shell.Run("/", $"chmod 644 '{_layers.Write("web.toml", text)}'");

    /// <summary>Waits until the checks of an instance are exactly these, in any order.</summary>
    private Task<List<JsonElement>> Checks(string id, params string[] expected) => Checks(id, _ => true, expected);

    private Task<List<JsonElement>> Checks(string id, Predicate<List<JsonElement>> areAwaited, params string[] expected) => Eventually.Get(
        async () =>
        {
            var checks = (await _installation.Succeed("instances", "show", id)).GetProperty("checks").EnumerateArray().ToList();
            var shown = checks.Select(check => $"{check.GetProperty("state").GetString()} {check.GetProperty("name").GetString()}").ToHashSet();
            return shown.SetEquals(expected) && areAwaited(checks) ? checks : null;
        },
        $"checks to be {string.Join(", ", expected)}", Cancellation, () => _installation.Agent.Log);

    private Task<Dictionary<string, JsonElement>> Row(string query) => Eventually.Get(
        () => _influxd.Query(query), query, Cancellation, () => _installation.Collector.Log);
}
