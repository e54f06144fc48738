using Telemetry.Agent.Packages;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Packages;

public sealed class DpkgScannerTests
{
    private const string Installed = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n";

    private readonly TimeProvider _clock = Scans.LaterClock();

    [Fact]
    public void Scan_WithoutDatabase_IsNoPartOfTheCoverage()
    {
        using var directory = new TemporaryDirectory();

        var coverage = Scans.Look(directory.Path).Sighting.Coverage;

        Assert.Equal("file", Assert.Single(coverage.Scanners).Name);
    }

    [Fact]
    public void Scan_BrokenDatabase_IsAGapAndTheFilesGoOn()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\nPackage: b\nSta");

        var scanned = Scans.Look(directory.Path);

        var gap = Assert.Single(scanned.Sighting.Coverage.Gaps);
        Assert.Equal((EntryKind.Package, EntryKey.Of("dpkg")), (gap.Kind, gap.Prefix));
        Assert.Contains("line 7", gap.Reason);
        Assert.Single(scanned.Entries(EntryKind.Package));
        Assert.NotNull(scanned.Find("var/lib/dpkg/status"));
    }

    [Fact]
    public void Scan_StatusFileOfAnySize_IsAGapAtOnce()
    {
        using var directory = new TemporaryDirectory();
        using (var status = File.OpenWrite(directory.Write("var/lib/dpkg/status", Installed)))
            status.SetLength(15L << 40);

        var look = PackageLook.By(null, new DpkgScanner(directory.Path, _clock));

        Assert.Contains("more than 128 MiB", Assert.Single(look.Gaps).Reason);
    }

    [Fact]
    public void Scan_DatabaseBehindALinkOutOfTheRoot_IsNotThisRootsDatabase()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("elsewhere/dpkg/status", Installed);
        Directory.CreateDirectory(directory["root/var"]);
        File.CreateSymbolicLink(directory["root/var/lib"], directory["elsewhere"]);

        Assert.Equal([false], PackageLook.By(null, new DpkgScanner(directory["root"], _clock)).IsPresent);
    }

    [Fact]
    public void Scan_DatabaseBehindALinkWithinTheRoot_IsRead()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("root/data/lib/dpkg/status", Installed);
        Directory.CreateDirectory(directory["root/var"]);
        File.CreateSymbolicLink(directory["root/var/lib"], "/data/lib");

        Assert.Equal(["package:dpkg/a:all 1 install ok installed"], PackageLook.By(null, new DpkgScanner(directory["root"], _clock)).Entries);
    }

    [Fact]
    public void Scan_WhileAJournalIsThere_GoesByTheJournalAndAfterwardsByTheFile()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("var/lib/dpkg/status", Installed);
        var scanner = new DpkgScanner(directory.Path, _clock);
        var before = PackageLook.By(null, scanner);

        directory.Write("var/lib/dpkg/updates/tmp.i", "#padding\n");
        directory.Write("var/lib/dpkg/updates/0000", Installed.Replace("install ok installed", "install reinstreq half-installed", StringComparison.Ordinal));
        directory.Write("var/lib/dpkg/updates/0001", Installed.Replace("install ok installed", "install ok half-configured", StringComparison.Ordinal));
        var during = PackageLook.By(before, scanner);
        Directory.Delete(directory["var/lib/dpkg/updates"], recursive: true);
        var after = PackageLook.By(during, scanner);

        Assert.Equal(["package:dpkg/a:all 1 install ok half-configured"], during.Entries);
        Assert.Equal(["package:dpkg/a:all 1 install ok installed"], after.Entries);
        Assert.Empty(during.Gaps);
    }

    [Fact]
    public void Scan_AfterDpkgWasKilled_SaysWhatDpkgQuerySays()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/dpkg-deb") || Environment.GetEnvironmentVariable("CI") is not null, "there is no dpkg here");
        using var directory = new TemporaryDirectory();
        Shell.Run(directory.Path, """
            mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates root/etc package/DEBIAN package/etc
            touch root/var/lib/dpkg/status root/etc/hosts package/etc/a.conf
            printf 'Package: a\nVersion: 1:2.0\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: for a test\n' > package/DEBIAN/control
            printf '#!/bin/sh\nkill -9 $PPID\n' > package/DEBIAN/postinst
            chmod 0755 package/DEBIAN/postinst
            dpkg-deb --root-owner-group -b package a.deb > /dev/null
            dpkg --root="$PWD/root" --force-not-root --force-script-chrootless --log=/dev/null -i a.deb > /dev/null 2>&1 || true
            test -e root/var/lib/dpkg/updates/0000
            """);

        var entries = PackageLook.By(null, new DpkgScanner(directory["root"], _clock)).Entries;

        var query = Shell.Run(directory.Path, "dpkg-query --admindir=root/var/lib/dpkg -W -f='${Package}:${Architecture} ${Version} ${Status}'");
        Assert.Equal(["package:dpkg/" + query], entries);
        Assert.EndsWith("half-configured", query);
    }
}
