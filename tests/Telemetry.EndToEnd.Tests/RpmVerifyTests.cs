using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A real rpm installs a real package below a root of its own; rpm and the agent say which of its files differ.</summary>
public sealed class RpmVerifyTests : IDisposable
{
    private const string Database = "/usr/lib/sysimage/rpm";

    private readonly TemporaryDirectory _folder = new();

    public RpmVerifyTests()
    {
        Assert.SkipUnless(
            File.Exists("/usr/bin/rpmbuild") && Environment.UserName == "root" || Environment.GetEnvironmentVariable("CI") is not null,
            "rpm installs below a root only for root, and rpmbuild must be there");
        Directory.CreateDirectory(Root + Database);
        Directory.CreateDirectory(Root + "/etc");
        File.WriteAllText(Root + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nbin:x:2:2::/:/bin/false\n");
        File.WriteAllText(Root + "/etc/group", "root:x:0:\ndaemon:x:1:\nbin:x:2:\n");
    }

    private string Root => _folder["root"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Verify_OfAFreshPackage_FindsNothing()
    {
        await Install();

        Assert.Empty(await Verification.ByRpm(Root, Database));
        Assert.Empty(await Verification.ByAgent(Root));
    }

    [Fact]
    public async Task Verify_AfterEdits_AgreesWithRpmButForTimes()
    {
        await Install();

        // The size of the second stays the same, the third differs in its time alone, nobody asked for the ghost's content.
        Shell.Run(Root, """
            echo more >> usr/share/tool/edited
            printf X | dd of=usr/share/tool/same-size conv=notrunc status=none
            touch -d 2001-01-01 usr/share/tool/touched
            rm usr/share/tool/gone
            chmod 4755 usr/bin/tool
            chown 2 usr/share/tool/owned
            chgrp 1 usr/share/tool/grouped
            chown 4711:4712 usr/share/tool/nobodys
            ln -sfn /etc/passwd usr/bin/tool-link
            echo more >> etc/tool.conf
            rm etc/gone.conf etc/may-be-missing.conf
            echo content > etc/ghost && chmod 0600 etc/ghost
            chmod 0700 usr/share/tool/directory
            echo more >> etc/unchecked.conf && chmod 0600 etc/unchecked.conf
            rm usr/bin/gone-link
            """);

        var rpm = await Verification.ByRpm(Root, Database);

        Assert.Equal("size content", rpm["/usr/share/tool/edited"]);
        Assert.Equal("mode", rpm["/usr/bin/tool"]);
        Assert.Equal("target", rpm["/usr/bin/tool-link"]);
        Assert.Equal("user group", rpm["/usr/share/tool/nobodys"]);
        Assert.True(rpm.Count >= 12, string.Join('\n', rpm));
        Assert.Equal(Ordered(rpm), Ordered(await Verification.ByAgent(Root)));
    }

    [Fact]
    public async Task Verify_AfterOneTypeBecameAnother_NamesTheSameFilesAsRpm()
    {
        await Install();
        Shell.Run(Root, """
            cp usr/share/tool/edited copy && ln -sf /copy usr/share/tool/edited
            rm usr/bin/tool-link && echo text > usr/bin/tool-link
            rm usr/share/tool/same-size && mkdir usr/share/tool/same-size
            mv usr/share/tool/directory moved && ln -s /moved usr/share/tool/directory
            """);

        var rpm = await Verification.ByRpm(Root, Database);
        var agent = await Verification.ByAgent(Root);

        Assert.Equal(["/usr/bin/tool-link", "/usr/share/tool/edited", "/usr/share/tool/same-size"], rpm.Keys);
        Assert.Equal(rpm.Keys, agent.Keys);
        Assert.All(agent.Values, differs => Assert.StartsWith("type", differs));
    }

    [Fact]
    public async Task Owner_OfAPath_IsThePackage()
    {
        await Install();

        var finished = await Finished.Succeed(Programs.Agent, "owner", "--root", Root, "/usr/bin/tool", "/etc/ghost", "--output", "table");

        Assert.Equal(2, finished.Lines.Count);
        Assert.All(finished.Lines, line => Assert.EndsWith("package:rpm/telemetry-tool:noarch", line));
    }

    [Fact]
    public async Task Scan_OfTheRoot_HasItsPackagesAndLeavesTheDatabaseAlone()
    {
        await Install();
        var before = Shell.Run(Root + Database, "find . -printf '%p %s %T@ %C@\n' | sort");

        await Finished.Succeed(Programs.Agent, "scan", "--root", Root, "--out", _folder["m"], "--no-settings");

        var shown = await Finished.Succeed(Programs.Agent, "show", _folder["m"], "--kind", "package", "--output", "table");
        Assert.Equal(["package:rpm/telemetry-tool:noarch", "2:1.0-1"], Assert.Single(shown.Lines).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(before, Shell.Run(Root + Database, "find . -printf '%p %s %T@ %C@\n' | sort"));
    }

    [Fact]
    public async Task Package_InstalledWhileTheAgentRuns_IsADeviation()
    {
        await Finished.Succeed("/usr/bin/rpmdb", "--root", Root, "--dbpath", Database, "--initdb");
        Directory.CreateDirectory(Root + "/srv");
        await using var installation = new Installation();
        await installation.StartCollector();
        await installation.StartAgentOn(Root, "/srv");
        await installation.Certify();

        await Install();

        var open = await installation.Open("added package:rpm/telemetry-tool:noarch");
        Assert.Equal("2:1.0-1", open[0].GetProperty("actual").GetProperty("version").GetString());
    }

    private static IEnumerable<string> Ordered(IDictionary<string, string> found) => found.Select(pair => $"{pair.Key}: {Sorted(pair.Value)}");

    private static string Sorted(string words) => string.Join(' ', words.Split(' ').Order(StringComparer.Ordinal));

    private async Task Install()
    {
        var specification = _folder.Write("tool.spec", """
            Name: telemetry-tool
            Epoch: 2
            Version: 1.0
            Release: 1
            Summary: for a test
            License: MIT
            BuildArch: noarch
            %description
            for a test
            %install
            cd %{buildroot}
            mkdir -p usr/bin etc usr/share/tool/directory
            for name in edited same-size touched gone owned grouped nobodys; do echo "$name" > usr/share/tool/$name; done
            echo '#!/bin/sh' > usr/bin/tool
            ln -s tool usr/bin/tool-link
            ln -s tool usr/bin/gone-link
            for name in tool gone may-be-missing unchecked; do echo "$name" > etc/$name.conf; done
            %files
            %defattr(0644,root,root,0755)
            %attr(0755,root,root) /usr/bin/tool
            /usr/bin/tool-link
            /usr/bin/gone-link
            %dir /usr/share/tool/directory
            /usr/share/tool/[eg-z]*
            %config(noreplace) /etc/tool.conf
            %config /etc/gone.conf
            %config(missingok) /etc/may-be-missing.conf
            %config %verify(not md5 size mtime) /etc/unchecked.conf
            %ghost %attr(0644,root,root) /etc/ghost
            """.ReplaceLineEndings("\n"));
        await Finished.Succeed(
            "/usr/bin/rpmbuild", "--define", "_topdir " + _folder["build"], "--define", "_rpmdir " + _folder["built"], "--define", "_build_id_links none", "-bb", specification);
        var package = Directory.EnumerateFiles(_folder["built"], "*.rpm", SearchOption.AllDirectories).Single();
        await Finished.Succeed("/usr/bin/rpm", "--root", Root, "--dbpath", Database, "--nodeps", "-i", package);
    }
}
