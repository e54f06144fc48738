using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>One change on a real machine becomes a deviation, whatever is stopped meanwhile.</summary>
public sealed class DriftTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    private string Watched => _installation.Watched;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Change_WhileEverythingRuns_OpensAndARevertCloses()
    {
        await File.WriteAllTextAsync(Watched + "/conf", "a", TestContext.Current.CancellationToken);
        await _installation.StartCertified();

        _installation.Put(Watched + "/conf", "b");
        File.WriteAllText(Watched + "/new", "");
        var open = await _installation.Open($"changed {Watched}/conf", $"added {Watched}/new");

        var changed = open.Single(deviation => deviation.GetProperty("change").GetString() == "changed");
        Assert.Equal(Sha256("a"), changed.GetProperty("expected").GetProperty("digest").GetString());
        Assert.Equal(Sha256("b"), changed.GetProperty("actual").GetProperty("digest").GetString());

        await File.WriteAllTextAsync(Watched + "/conf", "a", TestContext.Current.CancellationToken);
        File.Delete(Watched + "/new");
        await _installation.Open();
    }

    [Fact]
    public async Task Change_WhileTheAgentIsStopped_OpensWhenItStartsAndIsDatedBetween()
    {
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.StartCertified();
        await _installation.Agent.Stop();

        File.WriteAllText(Watched + "/conf", "b");
        await _installation.StartAgent();

        var deviation = Assert.Single(await _installation.Open($"changed {Watched}/conf"));
        var after = deviation.GetProperty("observed_after").GetDateTime();
        var before = deviation.GetProperty("observed_before").GetDateTime();
        Assert.True(after < File.GetLastWriteTimeUtc(Watched + "/conf").AddMilliseconds(1), "it was not there when the agent stopped");
        Assert.True(before > after, "it was seen after the agent started");

        var id = (await _installation.Succeed("instances", "list"))[0].GetProperty("id").GetString()!;
        var window = Assert.Single((await _installation.Succeed("instances", "show", id)).GetProperty("head").GetProperty("coverage").GetProperty("loss_windows").EnumerateArray());
        Assert.Equal("the agent was not running for some of it", window.GetProperty("reason").GetString());
        Assert.InRange(File.GetLastWriteTimeUtc(Watched + "/conf"), window.GetProperty("from").GetDateTime(), window.GetProperty("to").GetDateTime());
    }

    [Fact]
    public async Task Collector_KilledInBetween_KnowsWhatIsOpenAndClosesIt()
    {
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.StartCertified();
        File.WriteAllText(Watched + "/conf", "b");
        await _installation.Open($"changed {Watched}/conf");
        var id = (await _installation.Succeed("deviations", "list"))[0].GetProperty("id").GetString();

        await _installation.Collector.Kill();
        File.WriteAllText(Watched + "/conf", "a");
        File.WriteAllText(Watched + "/late", "");
        await _installation.StartCollector();

        await _installation.Open($"added {Watched}/late");
        var first = await _installation.Succeed("deviations", "show", id!);
        Assert.Equal("resolved", first.GetProperty("state").GetString());
    }

    [Fact]
    public async Task Collector_StoppedAsPlanned_TellsItsAgentsWhoComeBackWhenItIsBack()
    {
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.StartCertified();

        Assert.Equal(0, await _installation.Collector.Stop());
        await Eventually.True(
            () => _installation.Agent.Log.Contains("stops as planned", StringComparison.Ordinal),
            "the agent to be told",
            TestContext.Current.CancellationToken,
            () => _installation.Agent.Log);
        File.WriteAllText(Watched + "/conf", "b");
        await _installation.StartCollector();

        await _installation.Open($"changed {Watched}/conf");
    }

    [Fact]
    public async Task Agent_KilledInBetween_ReportsEveryChangeOnce()
    {
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.StartCertified();

        await _installation.Agent.Kill();
        File.WriteAllText(Watched + "/conf", "b");
        await _installation.StartAgent();
        await _installation.Open($"changed {Watched}/conf");
        await _installation.Agent.Kill();
        await _installation.StartAgent();
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.Open();

        Assert.Equal(1, (await _installation.Succeed("deviations", "list")).GetArrayLength());
    }

    [Fact]
    public async Task Collector_ThatIsNotThereYet_IsFoundWhenItComes()
    {
        await _installation.StartCollector();
        await _installation.Collector.Stop();
        await _installation.StartAgent();
        await Eventually.True(
            () => _installation.Agent.Log.Contains("reach", StringComparison.OrdinalIgnoreCase),
            "the agent to say that the collector cannot be reached",
            TestContext.Current.CancellationToken,
            () => _installation.Agent.Log);

        await _installation.StartCollector();

        Assert.Equal("connected", (await _installation.FirstHead()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Watch_ShowsEachTransitionAndResumesFromACursor()
    {
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.StartCertified();
        await using var watch = Watch();
        await Seen(watch, "Following");

        File.WriteAllText(Watched + "/conf", "b");
        await Seen(watch, "\"transition\":\"opened\"");
        var opened = Transition(watch, "opened");
        await watch.Stop();

        File.WriteAllText(Watched + "/conf", "a");
        await _installation.Open();
        await using var resumed = Watch("--cursor", opened.GetProperty("cursor").GetString()!);
        await Seen(resumed, "\"transition\":\"closed\"");

        Assert.DoesNotContain("\"transition\":\"opened\"", resumed.Log, StringComparison.Ordinal);
        Assert.Equal(
            opened.GetProperty("deviation").GetProperty("id").GetString(),
            Transition(resumed, "closed").GetProperty("deviation").GetProperty("id").GetString());
    }

    [Fact]
    public async Task Watch_WhoseReaderWent_EndsThoughNothingHappens()
    {
        await _installation.StartCollector();

        var (exit, ended, error) = Shell.TryRun(
            _installation["."], "timeout", "60", "bash", "-c",
            $"{Programs.Ctl} deviations watch --server {_installation.Server} --token-file {_installation.TokenFile} | true; echo ${{PIPESTATUS[0]}}");

        Assert.Equal((0, "0\n"), (exit, ended));
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
    }

    /// <summary>timeout(1) has it run in the background, where the kernel stops who sets the terminal up.</summary>
    [Fact]
    public async Task Watch_InTheBackgroundOfATerminal_EndsWhenItIsTold_AndLeavesTheTerminalAlone()
    {
        await _installation.StartCollector();

        var (exit, shown, _) = Shell.TryRun(
            _installation["."], "timeout", "-s", "KILL", "60", "script", "-qec",
            $"timeout 2 {Programs.Ctl} deviations watch --server {_installation.Server} --token-file {_installation.TokenFile} 2> watch.log | cat; echo ended", "/dev/null");

        Assert.Equal((0, "ended"), (exit, shown.Trim()));
        Assert.Contains("Following", File.ReadAllText(_installation["watch.log"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_AcrossARestartOfTheCollector_GoesOn()
    {
        await _installation.StartCertified();
        await using var watch = Watch();
        await Seen(watch, "Following");

        await _installation.Collector.Stop();
        await Seen(watch, "went away");
        await _installation.StartCollector();
        await Seen(watch, "is back");
        File.WriteAllText(Watched + "/after", "");

        await Seen(watch, "\"transition\":\"opened\"");
        Assert.Single(watch.Log.Split('\n'), line => line.Contains("\"opened\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Question_AboutWhatThereIsNot_IsAnErrorThatSaysWhatThereIs()
    {
        var id = await _installation.StartCertified();
        var name = (await _installation.Succeed("instances", "show", id)).GetProperty("name").GetString()!;

        Assert.Equal(id, (await _installation.Succeed("instances", "show", name)).GetProperty("id").GetString());
        foreach (var (filter, told) in new[] { ("--instance", $"there are {id} ({name})"), ("--layer", "there are shop:1"), ("--owner", "there are base") })
        {
            foreach (var verb in new[] { "list", "watch" }.Where(verb => verb == "list" || filter != "--layer"))
            {
                var refused = await _installation.Ctl("deviations", verb, filter, "nobody");
                Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
                Assert.Contains(told, refused.Error, StringComparison.Ordinal);
            }
        }

        Assert.Equal(2, (await _installation.Ctl("instances", "availability", id, "--since", "2026-03-02", "--until", "2026-03-01")).ExitCode);
        Assert.Equal(1, (await _installation.Ctl("reports", "coverage", "--instance", "nobody")).ExitCode);
        Assert.Contains("\n  telemetryctl deviations list [options]", (await _installation.Ctl("deviations", "list", "--help")).Output, StringComparison.Ordinal);
        Assert.Contains("\n  telemetry-collector serve [options]", (await Finished.Run(Programs.Collector, ["serve", "--help"], environment: null)).Output, StringComparison.Ordinal);
    }

    private RunningProgram Watch(params string[] arguments) =>
        RunningProgram.Start(
            Programs.Ctl,
            ["deviations", "watch", "--server", _installation.Server, "--token-file", _installation.TokenFile, .. arguments]);

    private static Task Seen(RunningProgram watch, string text) =>
        Eventually.True(
            () => watch.Log.Contains(text, StringComparison.Ordinal), text, TestContext.Current.CancellationToken, () => watch.Log);

    private static JsonElement Transition(RunningProgram watch, string transition) =>
        watch.Log.Split('\n')
            .Where(line => line.StartsWith('{'))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .First(line => line.GetProperty("transition").GetString() == transition);

    private static string Sha256(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
