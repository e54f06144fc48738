using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What people ask of a fleet and its past: what is nearest, who had it first, how much was open when, and what layers would make of it.</summary>
public sealed class FleetQuestionTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Watched => _installation.Watched;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Questions_AboutAnInstance_AreAnsweredFromWhatIsStored()
    {
        // :: Bound to no line, it is shown the nearest, and how to be bound to it
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.StartCollector();
        await _installation.StartAgent();
        var id = (await _installation.FirstHead()).GetProperty("id").GetString()!;
        Assert.False((await Show(id)).TryGetProperty("nearest", out _));
        await _installation.Succeed("baselines", "capture", "shop:1", "--instance", id);
        Assert.Equal(("shop:1", 0), Nearest(await Show(id)));
        _installation.Put(Watched + "/suspect", "evil");
        await Eventually.Get(async () => Nearest(await Show(id)) == ("shop:1", 1) ? "yes" : null, "the difference", Cancellation, () => _installation.Agent.Log);
        var shown = await _installation.Ctl("instances", "show", id, "--output", "table");
        Assert.Contains($"nearest is shop:1, differences: 1; 'baselines bind shop --instance {id}' binds it", shown.Output, StringComparison.Ordinal);
        await _installation.Succeed("baselines", "bind", "shop", "--instance", id);
        Assert.False((await Show(id)).TryGetProperty("nearest", out _));
        await _installation.Open($"added {Watched}/suspect");

        // :: Layers are compared before anybody composes them
        await _installation.Succeed("layers", "create", "fix:1", "--owner", "acme", "--from", "shop:1", "--to", id);
        Assert.Equal((0, "[]"), await Diff("shop:1+fix:1", id));
        Assert.Equal(1, (await Diff("shop:1", id)).ExitCode);
        foreach (var (left, exitCode, named) in new[] { ("shop:1+none:1", 1, "'none:1'"), ("shop:1+fix:1+fix:1", 1, "twice"), ("i-none", 1, "'i-none'"), ("@i-1", 2, "is no time") })
        {
            var refused = await _installation.Ctl("diff", left, id);
            Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
            Assert.Contains(named, refused.Error, StringComparison.Ordinal);
        }

        // :: What vanished again is still found where it was first
        var digest = Shell.Run(Watched, "sha256sum suspect | cut -c 1-64").Trim();
        File.Delete(Watched + "/suspect");
        await _installation.Open();
        Assert.Equal(1, (await _installation.Ctl("find", "--digest", digest)).ExitCode);
        foreach (var question in new[] { ("--digest", digest), ("--key", Watched + "/suspect") })
        {
            var first = Assert.Single((await _installation.Succeed("find", "--first", question.Item1, question.Item2)).EnumerateArray());
            Assert.Equal((id, $"{Watched}/suspect"), (first.GetProperty("instance").GetString(), first.GetProperty("entry").GetProperty("key").GetString()));
            Assert.True(first.GetProperty("after").GetDateTime() < first.GetProperty("since").GetDateTime());
        }

        Assert.Equal(1, (await _installation.Ctl("find", "--first", "--digest", new string('0', 64))).ExitCode);
        Assert.Single((await _installation.Succeed("find", "--key", Watched + "/")).EnumerateArray());
        Assert.Contains("'@key' is not a key", (await _installation.Ctl("find", "--key", "@key")).Error, StringComparison.Ordinal);

        // :: Its drift went up and down
        var closed = Assert.Single((await _installation.Succeed("deviations", "list")).EnumerateArray());
        var opened = closed.GetProperty("opened_at").GetDateTime();
        var during = opened + ((closed.GetProperty("closed_at").GetDateTime() - opened) / 2);
        var drift = (await _installation.Succeed("instances", "drift", id)).EnumerateArray().ToList();
        Assert.Equal(0, drift[^1].GetProperty("open").GetInt32());
        var until = ((await _installation.Succeed("instances", "drift", id, "--until", $"{during:O}", "--step", "1s"))).EnumerateArray().Last();
        Assert.Equal((1, 1), (until.GetProperty("open").GetInt32(), until.GetProperty(closed.GetProperty("severity").GetString()!).GetInt32()));
        Assert.Contains("████", (await _installation.Ctl("instances", "drift", id, "--until", $"{during:O}", "--step", "1s", "--output", "table")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await _installation.Ctl("instances", "drift", "i-none")).ExitCode);
        Assert.Equal(2, (await _installation.Ctl("instances", "drift", id, "--step", "often")).ExitCode);
    }

    private Task<JsonElement> Show(string id) => _installation.Succeed("instances", "show", id);

    private static (string? Baseline, int Differences) Nearest(JsonElement instance) =>
        instance.TryGetProperty("nearest", out var nearest) ? (nearest.GetProperty("baseline").GetString(), nearest.GetProperty("differences").GetInt32()) : default;

    private async Task<(int ExitCode, string Output)> Diff(string left, string right)
    {
        var finished = await _installation.Ctl("diff", left, right);
        return (finished.ExitCode, finished.Output.Trim());
    }
}
