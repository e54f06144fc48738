using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What a real dpkg does in one run is one cause, with its packages, and what somebody else did meanwhile is not in it.</summary>
public sealed class TransactionTests : IAsyncDisposable
{
    private const int Files = 200;

    private readonly Installation _installation = new();
    private readonly TemporaryDirectory _folder = new();

    public TransactionTests()
    {
        foreach (var name in (string[])["root/var/lib/dpkg/info", "root/var/lib/dpkg/updates", "root/etc", "root/usr/share", "root/usr/bin"])
            Directory.CreateDirectory(_folder[name]);
        File.WriteAllText(Root + "/var/lib/dpkg/status", "");
        File.WriteAllText(Root + "/etc/hosts", "");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Root => _folder["root"];

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Package_InstalledUpgradedInstalledAgainAndRemoved_IsOneCauseEach()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        await Start();

        await Dpkg("-i", await Build("1.0"));
        await IsKnownAsItIs();
        await _installation.Certify();
        await Dpkg("-i", await Build("2.0"));
        var upgrade = await Cause("dpkg: shop 1.0 → 2.0");
        Assert.Equal(Files, upgrade.GetProperty("files").GetInt32());
        var package = Assert.Single(upgrade.GetProperty("packages").EnumerateArray());
        Assert.Equal(("shop", "1.0", "2.0"), (package.GetProperty("name").GetString(), package.GetProperty("from").GetString(), package.GetProperty("to").GetString()));

        await Dpkg("--remove", "shop");
        await Cause("dpkg: shop 2.0 removed");
        await Dpkg("-i", await Build("1.0"));
        await _installation.Open();
        Assert.DoesNotContain((await Causes()), cause => cause.GetProperty("kind").GetString() == "unexplained");
    }

    [Fact]
    public async Task Edit_DuringATransaction_IsResidue()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "watching needs root");
        await Start();
        await _installation.Certify();

        var package = await Build("1.0", "touch \"$DPKG_ROOT/etc/ready\"; while [ ! -e \"$DPKG_ROOT/go\" ]; do sleep 0.05; done; rm \"$DPKG_ROOT/etc/ready\"; echo made > \"$DPKG_ROOT/etc/by-script\"");
        var installing = Dpkg("-i", package);
        await Eventually.True(() => File.Exists(Root + "/etc/ready"), "dpkg to run the script", Cancellation, () => _installation.Agent.Log);
        File.WriteAllText(Root + "/usr/share/shop/file-7", "edited");
        File.WriteAllText(Root + "/etc/other", "edited");
        var seen = "";
        await Eventually.Get(
            async () =>
            {
                var found = await Open();
                seen = string.Join(", ", found.Keys);
                return found.Count == 2 ? "yes" : null;
            },
            "the edits and nothing else",
            Cancellation,
            () => $"There are [{seen}]. {_installation.Agent.Log}");
        File.WriteAllText(Root + "/go", "");
        await installing;

        // The script's file, and the directory: of those dpkg keeps no more than the name.
        var cause = await Cause("dpkg: shop 1.0 installed", unverified: 2);
        var open = await Open();
        await Eventually.True(
            async () => (open = await Open()).ContainsKey("package:dpkg/shop:all"), "the package", Cancellation, () => string.Join('\n', open.Keys) + _installation.Agent.Log);
        Assert.Equal("residue", Membership("/usr/share/shop/file-7"));
        Assert.Equal("", Membership("/etc/other"));
        Assert.Equal("verified", Membership("/usr/share/shop/file-8"));
        Assert.Equal("unverified", Membership("/etc/by-script"));
        Assert.Equal("verified", Membership("package:dpkg/shop:all"));
        Assert.NotEqual(cause.GetProperty("id").GetString(), open["/usr/share/shop/file-7"].GetProperty("cause").GetProperty("id").GetString());

        string Membership(string key) => open[key].GetProperty("membership").GetString() ?? "";
    }

    private async Task Start()
    {
        await _installation.StartCollector();
        await _installation.StartAgentOn(Root, "/etc\", \"/usr");
        await _installation.FirstHead();
    }

    /// <summary>What the collector knows is what a scan finds that knows nothing.</summary>
    private async Task IsKnownAsItIs()
    {
        var fresh = _installation["fresh.manifest"];
        await Finished.Succeed(Programs.Agent, "scan", "--root", Root, "--out", fresh, "--no-settings", "--no-system", "--fleet-key", _installation["collector/fleet.key"]);
        await _installation.Succeed("baselines", "import", "fresh:1", fresh);
        var id = (await _installation.FirstHead()).GetProperty("id").GetString()!;
        var seen = "";
        await Eventually.True(
            async () => (seen = (await _installation.Ctl("diff", "fresh:1", id)).Output).Trim() == "[]", "the state of a fresh scan", Cancellation, () => seen + _installation.Agent.Log);
    }

    private async Task<JsonElement> Cause(string summary, int? unverified = null) => await Eventually.Get(
        async () => (await Causes()).Cast<JsonElement?>().SingleOrDefault(cause => cause!.Value.GetProperty("summary").GetString() == summary) is { } cause
            && cause.GetProperty("files").GetInt32() >= Files && (unverified is null || cause.GetProperty("unverified").GetInt32() == unverified) ? (object)cause : null,
        "one cause: " + summary,
        Cancellation,
        () => string.Join('\n', Causes().GetAwaiter().GetResult()) + _installation.Agent.Log) is JsonElement found ? found : default;

    private async Task<List<JsonElement>> Causes() => [.. (await _installation.Succeed("causes", "list")).EnumerateArray()];

    private async Task<Dictionary<string, JsonElement>> Open() =>
        (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray().ToDictionary(deviation => deviation.GetProperty("key").GetString()!);

    private Task<Finished> Dpkg(params string[] arguments) =>
        Finished.Succeed("/usr/bin/dpkg", ["--root=" + Root, "--force-not-root", "--force-script-chrootless", "--log=/dev/null", .. arguments]);

    private Task<string> Build(string version, string postinst = "true")
    {
        var package = new DebPackage(_folder.Path, "shop", version).Script("postinst", postinst);
        for (var i = 1; i <= Files; i++)
            package.File($"/usr/share/shop/file-{i}", $"{i} of {version}");
        return package.Build();
    }
}
