using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A machine whose agent looks at less than what was certified has no deviation there, and nobody is left to think that it is as certified.</summary>
public sealed class LostCoverageTests : IAsyncDisposable
{
    private const string Nowhere = "/no/such/dir";

    private readonly Installation _installation = new();

    private string Watched => _installation.Watched;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Agent_ThatLooksAtLessThanItsBaseline_IsToldEverywhere()
    {
        // :: As certified, nothing is said of it
        Directory.CreateDirectory(Watched + "/part");
        File.WriteAllText(Watched + "/part/conf", "a");
        var id = await _installation.StartCertified();
        Assert.DoesNotContain("incomplete", (await List()).Output, StringComparison.Ordinal);
        Assert.Empty((await Status()).GetProperty("coverage").GetProperty("missing").EnumerateArray());

        // :: It looks at a folder that is not there: marked in the list, named by the agent, logged once
        await Restart(Nowhere);
        var compared = await Comparison();
        Assert.Contains($"files below {Watched} (only what is expected covers them)", compared, StringComparison.Ordinal);
        Assert.Contains("0 (incomplete)", (await List()).Output, StringComparison.Ordinal);
        Assert.Equal([Nowhere], (await Status()).GetProperty("coverage").GetProperty("missing").EnumerateArray().Select(path => path.GetString()));
        Assert.Contains(Nowhere, _installation.Agent.Log, StringComparison.Ordinal);
        Assert.Single(_installation.Collector.Log.Split('\n'), line => line.Contains("covers less than its baseline shop:1", StringComparison.Ordinal));

        // :: A comparison says what it is about, for people and programs
        var table = await _installation.Ctl("diff", "shop:1", id, "--output", "table");
        Assert.Equal((0, $"What both sides cover is the same; {compared}."), (table.ExitCode, table.Error.Trim()));
        var json = await _installation.Ctl("diff", "shop:1", id);
        Assert.Equal((0, "[]", table.Error), (json.ExitCode, json.Output.Trim(), json.Error));

        // :: So it does where something differs in what is left
        File.WriteAllText(Watched + "/part/conf", "b");
        await Restart(Watched + "/part");
        await _installation.Open($"changed {Watched}/part/conf");
        var different = await _installation.Ctl("diff", "shop:1", id);
        Assert.Equal((1, $"Not compared: files below {Watched} (only what is expected covers them)."), (different.ExitCode, different.Error.Trim()));
        Assert.Contains("1 (incomplete)", (await List()).Output, StringComparison.Ordinal);
    }

    private async Task Restart(string include)
    {
        await _installation.Agent.Stop();
        await _installation.StartAgentOn("/", include);
    }

    private Task<Finished> List() => _installation.Ctl("instances", "list", "--output", "table");

    private Task<string> Comparison() => Eventually.Get(
        async () => (await _installation.Succeed("instances", "list"))[0].GetProperty("comparison").GetString(),
        "an incomplete comparison",
        TestContext.Current.CancellationToken,
        _installation.Logs);

    private async Task<JsonElement> Status()
    {
        var finished = await Finished.Run(Programs.Agent, ["status", "--config", _installation["agent.toml"]], environment: null);
        Assert.True(finished.ExitCode == 0, finished.Error);
        return JsonDocument.Parse(finished.Output).RootElement;
    }
}
