using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>
/// Four machines of one line and a real package upgrade: one cause, one decision, and nobody deviates because of it, whether upgraded
/// before, later or not at all. What was decided holds for what it was decided about, and for nothing else.
/// </summary>
public sealed class UpgradeStoryTests : IAsyncDisposable
{
    private const int Files = 20;

    /// <summary>Its files, and the package.</summary>
    private const int Entries = Files + 1;

    private static readonly string[] Machines = ["web-1", "web-2", "web-3", "web-4"];

    private readonly Installation _installation = new(agentSettings: "[instance]\ntags = { role = \"shop\" }");
    private readonly Dictionary<string, string> _ids = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Upgrade_ApprovedOnce_IsNobodysDeviation_AndTamperingWithWhatWasDecidedIs()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");

        // :: Four machines with shop 1.0: a baseline of one of them judges all
        await _installation.StartCollector();
        var (old, upgrade) = (await Build("1.0"), await Build("2.0"));
        foreach (var machine in Machines)
            await Start(machine, old);
        await _installation.Succeed("baselines", "capture", "shop:1", "--instance", _ids["web-1"]);
        var bound = await _installation.Succeed("baselines", "bind", "shop", "--tag", "role=shop");
        Assert.Equal(_ids.Values.Order(), bound.GetProperty("instances").EnumerateArray().Select(id => id.GetString()!).Order());
        Assert.Empty(await Deviations());

        // :: Two of them are upgraded: one cause over both, and nothing beside it
        await Install("web-1", upgrade);
        await Install("web-2", upgrade);
        var cause = await UpgradeOfBoth();
        Assert.Equal("dpkg: shop 1.0 → 2.0", Text(cause, "summary"));
        Assert.All(await Deviations("--state", "open"), deviation => Assert.Equal(Text(cause, "id"), Text(deviation.GetProperty("cause"), "id")));

        // :: Approved once: nothing is open, there is a layer and a version of the line with it, and it is known who decided and why
        var approved = await _installation.Succeed("deviations", "approve", "--cause", Text(cause, "id"), "--into", "hotfix:1", "--reason", "security update");
        Assert.Equal(2 * Entries, approved.GetProperty("deviations").GetInt32());
        Assert.Equal(("hotfix:1", "shop:2"), (Text(approved.GetProperty("decision"), "layer"), Text(approved.GetProperty("decision"), "baseline")));
        Assert.All(await Deviations(), deviation => Assert.Equal(("approved", false), (Text(deviation, "state"), IsOpen(deviation))));
        var layer = Assert.Single((await _installation.Succeed("layers", "list")).EnumerateArray());
        Assert.Equal(("hotfix", "1", "base", Entries), (Text(layer, "name"), Text(layer, "version"), Text(layer, "owner"), layer.GetProperty("changed").GetInt32()));
        Assert.Equal(["hotfix:1"], (await _installation.Succeed("baselines", "show", "shop:2")).GetProperty("layers").EnumerateArray().Select(name => name.GetString()));
        var recorded = (await _installation.Succeed("deviations", "show", Text((await Deviations())[0], "id"))).GetProperty("decision");
        Assert.Equal(("approved", "admin", "security update"), (Text(recorded, "gives"), Text(recorded, "by"), Text(recorded, "reason")));

        // :: Who is not upgraded does not deviate, and who is later is as it should be at once
        Assert.Empty(await Deviations("--instance", _ids["web-3"]));
        await Install("web-4", upgrade);
        await Same("web-4", "web-1");
        Assert.Empty(await Deviations("--instance", _ids["web-4"]));
        Assert.Empty(await Deviations("--instance", _ids["web-3"]));
        Assert.Equal("shop:2", Text(await Instance("web-4"), "baseline"));

        // :: Tampering with an approved file is another episode, and what would undo it is said
        var first = await Tamper("web-1", "/usr/share/shop/file-1", "tampered");
        Assert.Equal("hotfix:1", Text(first, "layer"));
        var shown = await _installation.Succeed("deviations", "show", Text(first, "id"));
        Assert.Contains(shown.GetProperty("reversal").EnumerateArray(), step => step.GetString()!.Contains("apt-get install --reinstall -- shop,", StringComparison.Ordinal));

        // :: What is acknowledged or waived is so as it is: edited again, it is another episode
        var acknowledged = await _installation.Succeed("deviations", "ack", Text(first, "id"), "--reason", "ticket 7");
        Assert.Equal(("acknowledged", "ticket 7"), (Text(acknowledged, "gives"), Text(acknowledged, "reason")));
        var again = await Tamper("web-1", "/usr/share/shop/file-1", "tampered again");
        await Ended(first);
        var decided = (await _installation.Succeed("deviations", "show", Text(again, "id"))).GetProperty("decisions").EnumerateArray();
        Assert.Equal(["acknowledged: ticket 7", "approved: security update"], decided.Select(decision => $"{Text(decision, "gives")}: {Text(decision, "reason")}"));

        var second = await Tamper("web-2", "/usr/share/shop/file-2", "tampered");
        await _installation.Succeed("deviations", "waive", Text(second, "id"), "--until", "2036-12-31", "--reason", "until the migration is done");
        var waived = await _installation.Succeed("deviations", "show", Text(second, "id"));
        Assert.Equal(("waived", true), (Text(waived, "state"), IsOpen(waived)));
        Assert.StartsWith("2036-12-31", Text(waived.GetProperty("decision"), "until"), StringComparison.Ordinal);
        await Tamper("web-2", "/usr/share/shop/file-2", "tampered again");
        await Ended(second);
    }

    /// <summary>Makes a root with a package, and has an agent watch it.</summary>
    private async Task Start(string machine, string package)
    {
        foreach (var folder in (string[])["var/lib/dpkg/info", "var/lib/dpkg/updates", "etc", "usr/share", "usr/bin"])
            Directory.CreateDirectory(Path.Combine(Root(machine), folder));
        await File.WriteAllTextAsync(Root(machine) + "/var/lib/dpkg/status", "", Cancellation);
        await Install(machine, package);
        await _installation.StartAgentOn(Root(machine), "/etc\", \"/usr", name: machine);
        _ids[machine] = Text(await _installation.FirstHead(machine), "id");
    }

    private string Root(string machine) => _installation["root-" + machine];

    private async Task<string> Build(string version)
    {
        var package = new DebPackage(_installation["."], "shop", version);
        for (var i = 1; i <= Files; i++)
            package.File($"/usr/share/shop/file-{i}", $"{i} of {version}");
        return await package.Build();
    }

    private Task<Finished> Install(string machine, string package) =>
        Finished.Succeed("/usr/bin/dpkg", "--root=" + Root(machine), "--force-not-root", "--log=/dev/null", "-i", package);

    private async Task<JsonElement> UpgradeOfBoth()
    {
        var causes = await Eventually.Get(
            async () =>
            {
                var causes = (await _installation.Succeed("causes", "list")).EnumerateArray().ToList();
                return causes.Sum(cause => cause.GetProperty("open_deviations").GetInt32()) == 2 * Entries && causes.Count == 1 ? causes : null;
            },
            "the upgrade of both",
            Cancellation,
            _installation.Logs);
        var cause = Assert.Single(causes);
        Assert.Equal((2, 2 * Files), (cause.GetProperty("instances").GetInt32(), cause.GetProperty("files").GetInt32()));
        return cause;
    }

    private async Task Same(string machine, string other) => await Eventually.Get(
        async () => (await Roots(machine)) == await Roots(other) ? "yes" : null, $"{machine} to be as {other}", Cancellation, _installation.Logs);

    private async Task<string> Roots(string machine) => (await Instance(machine)).GetProperty("head").GetProperty("roots").GetRawText();

    private Task<JsonElement> Instance(string machine) => _installation.Succeed("instances", "show", _ids[machine]);

    /// <returns>The episode that it opened.</returns>
    private async Task<JsonElement> Tamper(string machine, string path, string content)
    {
        var known = (await Deviations()).Select(deviation => Text(deviation, "id")).ToHashSet();
        _installation.Put(Root(machine) + path, content);
        var opened = await Eventually.Get(
            async () => (await Deviations("--state", "open")).Where(deviation => !known.Contains(Text(deviation, "id"))).ToList() is { Count: > 0 } found ? found : null,
            $"{path} of {machine} to deviate",
            Cancellation,
            _installation.Logs);
        var deviation = Assert.Single(opened);
        Assert.Equal((_ids[machine], path, "changed"), (Text(deviation, "instance"), Text(deviation, "key"), Text(deviation, "change")));
        return deviation;
    }

    private async Task Ended(JsonElement episode)
    {
        var shown = await _installation.Succeed("deviations", "show", Text(episode, "id"));
        Assert.Equal(("resolved", false), (Text(shown, "state"), IsOpen(shown)));
    }

    private async Task<List<JsonElement>> Deviations(params string[] arguments) =>
        [.. (await _installation.Succeed(["deviations", "list", .. arguments])).EnumerateArray()];

    private static bool IsOpen(JsonElement deviation) => deviation.GetProperty("closed_at").ValueKind == JsonValueKind.Null;

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
