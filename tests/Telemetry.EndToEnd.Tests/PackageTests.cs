using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A real dpkg installs, upgrades and removes a real package; the agent watches that root.</summary>
public sealed class PackageTests : IAsyncDisposable
{
    private readonly Installation _installation = new();
    private readonly TemporaryDirectory _folder = new();

    public PackageTests()
    {
        foreach (var name in (string[])["root/var/lib/dpkg/info", "root/var/lib/dpkg/updates", "root/etc"])
            Directory.CreateDirectory(_folder[name]);
        File.WriteAllText(Root + "/var/lib/dpkg/status", "");

        // Else the purge removes the folder that it leaves empty.
        File.WriteAllText(Root + "/etc/hosts", "");
    }

    private string Root => _folder["root"];

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Package_InstalledUpgradedAndPurged_IsADeviationUntilItIsGone()
    {
        await _installation.StartCollector();
        await _installation.StartAgentOn(Root, "/etc");
        await _installation.Certify();

        await Dpkg("-i", await Build("1.0"));
        var open = await _installation.Open("added /etc/hello.conf", "added package:dpkg/telemetry-hello:all");
        Assert.Equal("1.0", Package(open).GetProperty("actual").GetProperty("version").GetString());

        await Dpkg("-i", await Build("2.0"));
        await Eventually.Get(
            async () => (await _installation.Succeed("deviations", "list", "--state", "open")).EnumerateArray()
                .Any(deviation => IsPackage(deviation) && deviation.GetProperty("actual").GetProperty("version").GetString() == "2.0") ? "yes" : null,
            "the upgrade",
            TestContext.Current.CancellationToken);

        await Dpkg("--purge", "telemetry-hello");
        await _installation.Open();
    }

    [Fact]
    public async Task BrokenStatusFile_IsAGapAndTheRestGoesOn()
    {
        await Dpkg("-i", await Build("1.0"));
        await _installation.StartCollector();
        await _installation.StartAgentOn(Root, "/etc");
        await _installation.Certify();

        var status = await File.ReadAllBytesAsync(Root + "/var/lib/dpkg/status", TestContext.Current.CancellationToken);

        // Moved into place as dpkg does: an empty database, seen while the file is being written, is a proof that the package went.
        await File.WriteAllBytesAsync(Root + "/var/lib/dpkg/status-new", [.. status[..20], 0xff, 0, 0xfe], TestContext.Current.CancellationToken);
        File.Move(Root + "/var/lib/dpkg/status-new", Root + "/var/lib/dpkg/status", overwrite: true);
        File.WriteAllText(Root + "/etc/hello.conf", "edited");

        var comparison = "";
        await Eventually.True(
            async () => (comparison = (await _installation.Succeed("instances", "list"))[0].GetProperty("comparison").GetString() ?? "").Contains("dpkg", StringComparison.Ordinal),
            "the gap to be told", TestContext.Current.CancellationToken, () => comparison + _installation.Logs());
        await _installation.Open("changed /etc/hello.conf");
    }

    private static System.Text.Json.JsonElement Package(IReadOnlyList<System.Text.Json.JsonElement> open) =>
        open.Single(IsPackage);

    private static bool IsPackage(System.Text.Json.JsonElement deviation) => deviation.GetProperty("kind").GetString() == "package";

    private Task<Finished> Dpkg(params string[] arguments) =>
        Finished.Succeed("/usr/bin/dpkg", ["--root=" + Root, "--force-not-root", "--force-script-chrootless", "--log=/dev/null", .. arguments]);

    private async Task<string> Build(string version)
    {
        var tree = _folder["package-" + version];
        Directory.CreateDirectory(tree + "/DEBIAN");
        Directory.CreateDirectory(tree + "/etc");
        File.WriteAllText(tree + "/etc/hello.conf", "greeting = hello " + version);
        File.WriteAllText(tree + "/DEBIAN/control", $"""
            Package: telemetry-hello
            Version: {version}
            Architecture: all
            Maintainer: nobody <nobody@example.com>
            Description: says hello

            """);
        var package = _folder[$"telemetry-hello-{version}.deb"];
        await Finished.Succeed("/usr/bin/dpkg-deb", "--build", "--root-owner-group", tree, package);
        return package;
    }
}
