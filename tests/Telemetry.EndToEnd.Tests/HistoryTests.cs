using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What an instance was, and who has what since when.</summary>
public sealed class HistoryTests : IAsyncDisposable
{
    private readonly Installation _installation = new();

    private string Watched => _installation.Watched;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task History_OfTwoChanges_IsListedComparedAndFound()
    {
        File.WriteAllText(Watched + "/conf", "a");
        await _installation.StartCertified();
        var id = (await _installation.Succeed("instances", "list"))[0].GetProperty("id").GetString()!;
        _installation.Put(Watched + "/conf", "b");
        await _installation.Open($"changed {Watched}/conf");

        // Tables show seconds: the next state is of another one.
        var second = Second();
        await Eventually.True(() => Second() > second, "the next second", TestContext.Current.CancellationToken);
        _installation.Put(Watched + "/new", "content");
        await _installation.Open($"changed {Watched}/conf", $"added {Watched}/new");

        var heads = (await _installation.Succeed("instances", "history", id)).EnumerateArray().ToList();
        Assert.Equal((1, 0, 0), Counts(heads[0]));
        Assert.Equal((0, 0, 1), Counts(heads[1]));
        Assert.Equal(JsonValueKind.Null, heads[^1].GetProperty("differences").ValueKind);

        // Each state by its time; the newest by the instance's name.
        var between = heads[1].GetProperty("head").GetProperty("observed_at").GetString();
        var first = heads[2].GetProperty("head").GetProperty("observed_at").GetString();
        Assert.Equal([$"added {Watched}/new"], await Diff($"{id}@{between}", id));
        Assert.Equal([$"changed {Watched}/conf"], await Diff($"{id}@{first}", $"{id}@{between}"));
        Assert.Equal([$"removed {Watched}/new"], await Diff(id, $"{id}@{between}"));
        Assert.Equal([], await Diff("shop:1", $"{id}@{first}"));
        Assert.Equal(1, (await _installation.Ctl("diff", $"{id}@2020-01-01T00:00Z", id)).ExitCode);
        Assert.Equal(2, (await _installation.Ctl("diff", $"{id}@yesterday", id)).ExitCode);
        Assert.Equal(2, (await _installation.Ctl("diff", $"{id}@2126-01-01T00:00Z", id)).ExitCode);

        var digest = Shell.Run(Watched, "sha256sum new | cut -c 1-64").Trim();
        var found = Assert.Single((await _installation.Succeed("find", "--digest", digest)).EnumerateArray());
        Assert.Equal($"{Watched}/new", found.GetProperty("entry").GetProperty("key").GetString());
        Assert.Equal(heads[0].GetProperty("head").GetProperty("observed_at").GetString(), found.GetProperty("since").GetString());
        Assert.NotEqual(JsonValueKind.Null, found.GetProperty("after").ValueKind);

        var conf = Assert.Single((await _installation.Succeed("find", "--key", $"{Watched}/conf")).EnumerateArray());
        Assert.Equal(id, conf.GetProperty("instance").GetString());
        Assert.Equal(between, conf.GetProperty("since").GetString());

        Assert.Equal(1, (await _installation.Ctl("find", "--digest", new string('0', 64))).ExitCode);
        Assert.Equal(2, (await _installation.Ctl("find")).ExitCode);
        Assert.Equal(2, (await _installation.Ctl("find", "--digest", "abc")).ExitCode);
        Assert.Single((await _installation.Succeed("instances", "history", id, "--until", first!)).EnumerateArray());
        Assert.Equal(1, (await _installation.Ctl("instances", "history", "i-none")).ExitCode);
        Assert.Equal(2, (await _installation.Ctl("instances", "history", id, "--until", "yesterday")).ExitCode);
        Assert.Equal(2, (await _installation.Ctl("instances", "history", id, "--limit", "0")).ExitCode);

        // What the table shows names the same state.
        var table = (await _installation.Ctl("instances", "history", id, "--output", "table")).Output.Split('\n');
        Assert.Equal([$"added {Watched}/new"], await Diff($"{id}@{table[2].Split(' ')[0]}", id));
    }

    private static long Second() => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static (int Added, int Removed, int Changed) Counts(JsonElement past)
    {
        var counts = past.GetProperty("differences");
        return (counts.GetProperty("added").GetInt32(), counts.GetProperty("removed").GetInt32(), counts.GetProperty("changed").GetInt32());
    }

    private async Task<IEnumerable<string>> Diff(string left, string right)
    {
        var finished = await _installation.Ctl("diff", left, right);
        return JsonDocument.Parse(finished.Output).RootElement.EnumerateArray()
            .Select(difference => $"{difference.GetProperty("change").GetString()} {difference.GetProperty("key").GetString()}");
    }
}
