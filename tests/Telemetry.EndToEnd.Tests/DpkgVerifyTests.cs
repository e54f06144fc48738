using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A real dpkg installs packages below a root of its own; dpkg and the agent say which of their files differ.</summary>
public sealed class DpkgVerifyTests : IDisposable
{
    private const UnixFileMode Executable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly TemporaryDirectory _folder = new();

    public DpkgVerifyTests()
    {
        foreach (var name in (string[])["root/var/lib/dpkg/info", "root/var/lib/dpkg/updates", "root/etc", "root/usr/bin"])
            Directory.CreateDirectory(_folder[name]);
        File.WriteAllText(Root + "/var/lib/dpkg/status", "");
        File.CreateSymbolicLink(Root + "/bin", "usr/bin");
    }

    private string Root => _folder["root"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Verify_OfFreshPackages_FindsNothing()
    {
        await Install();

        Assert.Empty(await Verification.ByDpkg(Root));
        Assert.Empty(await Verification.ByAgent(Root));
    }

    [Fact]
    public async Task Verify_AfterEdits_AgreesWithDpkgAndSeesADivertedFileToo()
    {
        await Install();
        await Finished.Succeed(
            "/usr/bin/dpkg-divert", "--root", Root, "--local", "--rename", "--divert", "/usr/share/tool/diverted.mine", "--add", "/usr/share/tool/diverted");

        // dpkg's record has digests and names; what it is silent about is neither's to find: modes, owners, where a link leads.
        Shell.Run(Root, """
            echo more >> usr/share/tool/edited
            rm usr/share/tool/gone
            echo more >> etc/tool.conf
            rm etc/gone.conf
            echo more >> usr/bin/short
            echo more >> usr/share/tool/diverted.mine
            chmod 4755 usr/bin/tool
            ln -sfn /etc/passwd usr/bin/tool-link
            cp usr/share/tool/linked copy && ln -sf /copy usr/share/tool/linked
            rm usr/bin/gone-link
            rm -r usr/share/tool/empty
            """);

        var dpkg = await Verification.ByDpkg(Root);
        var agent = await Verification.ByAgent(Root);

        Assert.Equal("content", dpkg["/usr/share/tool/edited"]);
        Assert.Equal("missing", dpkg["/usr/share/tool/gone"]);
        Assert.Equal("conffile content", dpkg["/etc/tool.conf"]);
        Assert.Equal("conffile missing", dpkg["/etc/gone.conf"]);
        Assert.Equal("content", dpkg["/bin/short"]);
        Assert.Equal("type", dpkg["/usr/share/tool/linked"]);
        Assert.Equal("missing", dpkg["/usr/bin/gone-link"]);
        Assert.Equal("missing", dpkg["/usr/share/tool/empty"]);

        // dpkg looks for a diverted file's digest under its new name, where there is none.
        Assert.True(agent.Remove("/usr/share/tool/diverted", out var diverted));
        Assert.Equal("content", diverted);
        Assert.Equal(dpkg, agent);
    }

    [Fact]
    public async Task Verify_OfOnePackage_LooksAtNoOther()
    {
        await Install();
        File.AppendAllText(Root + "/usr/share/tool/edited", "more");
        File.AppendAllText(Root + "/usr/share/other/edited", "more");

        Assert.Equal(["/usr/share/other/edited"], (await Verification.ByAgent(Root, "telemetry-other")).Keys);
        Assert.Equal(["/usr/share/other/edited"], (await Verification.ByAgent(Root, "package:dpkg/telemetry-other:all")).Keys);
        var unknown = await Finished.Run(Programs.Agent, "verify", "--root", Root, "telemetry-othr");
        Assert.Equal((1, "Not covered: no package 'telemetry-othr' is known here.\n"), (unknown.ExitCode, unknown.Error));
    }

    [Fact]
    public async Task Owner_OfAnyPath_IsWhatDpkgSays()
    {
        await Install();
        await Finished.Succeed(
            "/usr/bin/dpkg-divert", "--root", Root, "--local", "--rename", "--divert", "/usr/share/tool/diverted.mine", "--add", "/usr/share/tool/diverted");

        Assert.Equal(["package:dpkg/telemetry-tool:all"], await Owners("/usr/bin/tool"));
        Assert.Equal(["package:dpkg/telemetry-tool:all"], await Owners("/usr/bin/short"));
        Assert.Equal(["package:dpkg/telemetry-tool:all"], await Owners("/bin/short"));
        Assert.Equal(["package:dpkg/telemetry-tool:all"], await Owners("/usr/share/tool/diverted.mine"));
        Assert.Equal([], await Owners("/usr/share/tool/diverted"));
        Assert.Equal(["package:dpkg/telemetry-other:all", "package:dpkg/telemetry-tool:all"], await Owners("/usr/share/"));
        Assert.Equal([], await Owners("/usr/bin/nobodys"));
    }

    [Fact]
    public async Task Verify_WithoutAPackageDatabase_SaysSo()
    {
        using var empty = new TemporaryDirectory();

        var finished = await Finished.Run(Programs.Agent, "verify", "--root", empty.Path);

        Assert.Equal(2, finished.ExitCode);
        Assert.Contains("no package database", finished.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_OfThisMachine_AgreesWithDpkg()
    {
        Assert.SkipUnless(File.Exists("/var/lib/dpkg/status") || Environment.GetEnvironmentVariable("CI") is not null, "there is no dpkg here");

        // All of them take a minute.
        string[] packages = ["base-files", "bash", "coreutils", "dpkg", "libc6", "passwd", "tar"];
        Assert.Equal(await Verification.ByDpkg("/", packages), await Verification.ByAgent("/", packages));
    }

    private async Task Install()
    {
        var tool = await new DebPackage(_folder.Path, "telemetry-tool")
            .File("/usr/bin/tool", "#!/bin/sh\n", Executable)
            .Link("/usr/bin/tool-link", "tool")
            .Link("/usr/bin/gone-link", "tool")
            .File("/bin/short", "in a place that is a link\n")
            .File("/usr/share/tool/edited", "1\n")
            .File("/usr/share/tool/gone", "2\n")
            .File("/usr/share/tool/diverted", "3\n")
            .File("/usr/share/tool/linked", "4\n")
            .File("/usr/share/tool/with space", "5\n")
            .Conffile("/etc/tool.conf", "6\n")
            .Conffile("/etc/gone.conf", "7\n")
            .Directory("/usr/share/tool/empty")
            .Build();
        var other = await new DebPackage(_folder.Path, "telemetry-other").File("/usr/share/other/edited", "1\n").Build();
        await Finished.Succeed(
            "/usr/bin/dpkg", "--root=" + Root, "--force-not-root", "--force-script-chrootless", "--log=/dev/null", "-i", tool, other);
    }

    private async Task<IEnumerable<string?>> Owners(string path)
    {
        var finished = await Finished.Run(Programs.Agent, "owner", "--root", Root, path, "--output", "json");
        var packages = JsonDocument.Parse(finished.Output).RootElement.GetProperty("packages").EnumerateArray().Select(package => package.GetString()).ToList();
        Assert.Equal(packages.Count == 0 ? 1 : 0, finished.ExitCode);
        return packages;
    }
}
