using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Policies that people set, as commands, on a real agent and without one.</summary>
public sealed class PolicyTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    private string Watched => _installation.Watched;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Set_WhileTheAgentIsStopped_ClosesWhatTestSaidItWould()
    {
        File.WriteAllText(Watched + "/conf", "a");
        var id = await _installation.StartCertified();
        File.WriteAllText(Watched + "/conf", "b");
        File.WriteAllText(Watched + "/new", "");
        await _installation.Open($"changed {Watched}/conf", $"added {Watched}/new");
        await _installation.Agent.Stop();

        var presence = await Write("presence.toml", $"name = \"default\"\n[[rules]]\nmatch = [\"{Watched}\"]\ntreat = \"presence\"");
        Assert.Equal(["closed conf"], await Test(presence, id));
        await _installation.Succeed("policies", "set", presence);
        Assert.Equal([$"{Watched}/new"], await OpenKeys());

        var ignore = await Write("ignore.toml", $"name = \"default\"\n[[rules]]\nmatch = [\"{Watched}\"]\ntreat = \"ignore\"");
        Assert.Equal(["closed new"], await Test(ignore, id));
        await _installation.Succeed("policies", "set", ignore);
        Assert.Empty(await OpenKeys());

        var full = await Write("full.toml", "name = \"default\"");
        Assert.Equal(["opened conf", "opened new"], await Test(full, id));
    }

    [Fact]
    public async Task Set_WithMistakes_Exits78WithEachAndItsPlace()
    {
        await _installation.StartCollector();
        var file = await Write("wrong.toml", "name = \"web\"\ninclud = [\"/\"]\nexclude = [\"srv\"]\n[[rules]]\nmatch = [\"/srv\"]\ntreat = \"sceret\"\n");

        var finished = await _installation.Ctl("policies", "set", file);

        Assert.Equal(78, finished.ExitCode);
        foreach (var place in (string[])[":2: there is no setting includ", ":3: exclude has 'srv'", ":6: rules.treat is 'sceret'"])
            Assert.Contains(file + place, finished.Error, StringComparison.Ordinal);
        Assert.Equal(78, (await _installation.Ctl("policies", "test", file, "--instance", "i-1")).ExitCode);
        Assert.Equal(78, (await _installation.Ctl("policies", "set", file + ".none")).ExitCode);
        Assert.Equal(1, (await _installation.Ctl("policies", "show", "web")).ExitCode);
    }

    [Fact]
    public async Task Show_InAPipe_IsTheTextThatCanBeSetAgain()
    {
        await _installation.StartCollector();
        var shipped = (await _installation.Ctl("policies", "show", "default")).Output;

        var again = await _installation.Succeed("policies", "set", await Write("again.toml", shipped));

        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(Programs.Repository, "deploy/policies/default.toml"), Cancellation), shipped);
        Assert.False(again.GetProperty("is_new").GetBoolean());
        Assert.Equal(shipped, (await _installation.Succeed("policies", "show", "default", "--output", "json")).GetProperty("text").GetString());
    }

    [Fact]
    public async Task Policy_OfALine_IsToldToItsConnectedAgentsAndNarrowsWhatTheyLookAt()
    {
        Directory.CreateDirectory(Watched + "/sub");
        var id = await _installation.StartCertified();
        await _installation.Succeed("policies", "set", await Write("web.toml", $"name = \"web\"\nexclude = [\"{Watched}/sub\"]"));

        await _installation.Succeed("baselines", "bind", "shop", "--policy", "web");

        await Eventually.Get(
            async () => (await _installation.Succeed("instances", "show", id)).GetProperty("head").GetProperty("coverage").GetProperty("scope")
                .GetProperty("exclude").EnumerateArray().Any(path => path.GetString() == Watched + "/sub") ? "yes" : null,
            "a head under the new policy",
            Cancellation,
            () => _installation.Agent.Log);
        Assert.Equal("web", (await _installation.Succeed("baselines", "list"))[0].GetProperty("policy").GetString());
    }

    [Fact]
    public async Task FleetKey_LostAndMadeAnew_RaisesNoFalseAlarmAndIsNeverLogged()
    {
        File.WriteAllText(Watched + "/password", "hunter2");
        await _installation.StartCollector();
        await _installation.Succeed("policies", "set", await Write("secret.toml", $"name = \"default\"\n[[rules]]\nmatch = [\"{Watched}/password\"]\ntreat = \"secret\""));
        await _installation.StartAgent();
        var id = await _installation.Certify();
        var first = await Key();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_installation["collector/fleet.key"]));

        await _installation.Collector.Stop();
        File.Delete(_installation["collector/fleet.key"]);
        await _installation.StartCollector();
        await Eventually.Get(
            async () => (await _installation.Succeed("instances", "show", id)).GetProperty("comparison").GetString()?.Contains("1 secret whose", StringComparison.Ordinal) == true ? "yes" : null,
            "a head under the new key",
            Cancellation,
            () => _installation.Agent.Log);

        var diff = await _installation.Ctl("diff", "shop:1", id);
        Assert.Equal((0, "[]"), (diff.ExitCode, diff.Output.Trim()));
        Assert.Contains("1 secret whose", diff.Error, StringComparison.Ordinal);
        Assert.Empty(await OpenKeys());
        await Eventually.True(
            () => _installation.Collector.Log.Contains("fleet.key holds another key", StringComparison.Ordinal), "the collector to say so", Cancellation, () => _installation.Collector.Log);
        foreach (var key in (string[])[first, await Key()])
            Assert.DoesNotContain(key, _installation.Collector.Log + _installation.Agent.Log, StringComparison.OrdinalIgnoreCase);

        await _installation.Succeed("baselines", "capture", "shop:2", "--instance", id);
        File.WriteAllText(Watched + "/password", "hunter3");
        var actual = (await _installation.Open($"changed {Watched}/password"))[0].GetProperty("actual");
        Assert.Equal(64, actual.GetProperty("keyed_digest").GetString()!.Length);
        Assert.Equal(JsonValueKind.Null, actual.GetProperty("digest").ValueKind);
    }

    private async Task<string> Write(string name, string text)
    {
        await File.WriteAllTextAsync(_installation[name], text, Cancellation);
        return _installation[name];
    }

    /// <summary>What <c>policies test</c> says would happen at once; it must say so by its exit code too.</summary>
    private async Task<IEnumerable<string>> Test(string file, string id)
    {
        var finished = await _installation.Ctl("policies", "test", file, "--instance", id);
        Assert.Equal(1, finished.ExitCode);
        return JsonDocument.Parse(finished.Output).RootElement.GetProperty("effects").EnumerateArray()
            .Select(effect => $"{effect.GetProperty("effect").GetString()} {Path.GetFileName(effect.GetProperty("deviation").GetProperty("key").GetString())}")
            .ToList();
    }

    private async Task<IEnumerable<string?>> OpenKeys() =>
        (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray()
            .Select(deviation => deviation.GetProperty("key").GetString())
            .ToList();

    private async Task<string> Key() => (await File.ReadAllTextAsync(_installation["collector/fleet.key"], Cancellation)).Trim();
}
