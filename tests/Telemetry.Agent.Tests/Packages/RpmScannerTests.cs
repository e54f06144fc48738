using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Packages;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Packages;

public sealed class RpmScannerTests
{
    private readonly FakeTimeProvider _clock = Scans.LaterClock();
    private readonly RpmMemory _memory = new();

    [Fact]
    public void Scan_WithoutDatabase_IsNoPartOfTheCoverage()
    {
        using var folder = new TemporaryDirectory();
        Directory.CreateDirectory(folder["var/lib/rpm"]);

        Assert.Equal([false], PackageLook.By(null, new RpmScanner(folder.Path, _clock, _memory, Path.GetTempPath())).IsPresent);
    }

    [Fact]
    public void Scan_OfADatabase_HasEveryPackageByNameAndArchitecture()
    {
        using var root = new RpmRoot();
        root.Install("zeta", "2.0", "Epoch: 3");
        root.Install("alpha");

        var look = Look(root, null);

        Assert.Empty(look.Gaps);
        Assert.Equal(["package:rpm/alpha:noarch 1.0-1", "package:rpm/zeta:noarch 3:2.0-1"], look.Entries);
    }

    [Fact]
    public void Scan_OfWhatIsInstalledSideBySide_AddsAnEntryAndKeepsTheOther()
    {
        using var root = new RpmRoot();
        root.Install("linux-image", "6.1", "Provides: installonlypkg(kernel)");
        var before = Look(root, null).Entries.ToList();

        root.Install("linux-image", "6.2", "Provides: installonlypkg(kernel)");

        Assert.Equal(["package:rpm/linux-image:noarch:6.1-1 6.1-1"], before);
        Assert.Equal([.. before, "package:rpm/linux-image:noarch:6.2-1 6.2-1"], Look(root, null).Entries);
    }

    [Fact]
    public void Scan_OfAnUpdateThatBrokeOff_ShowsBothVersions()
    {
        using var root = new RpmRoot();
        root.Install("alpha");
        root.Install("alpha", "1.1", command: "-i --force");

        Assert.Equal(["package:rpm/alpha:noarch:1.0-1 1.0-1", "package:rpm/alpha:noarch:1.1-1 1.1-1"], Look(root, null).Entries);
    }

    [Fact]
    public void Scan_OfAnUnchangedDatabase_DoesNotRunRpm()
    {
        using var root = new RpmRoot();
        root.Install("alpha");
        var first = Look(root, null);

        var second = Look(root, first);
        Assert.Equal(1, root.Runs);
        Assert.Equal(first.Entries, second.Entries);

        root.Install("alpha", "2.0", command: "-U");
        Assert.Equal(["package:rpm/alpha:noarch 2.0-1"], Look(root, second).Entries);
        Assert.Equal(2, root.Runs);
    }

    [Fact]
    public void Scan_OfADatabaseWithoutPackages_RunsRpmOnce()
    {
        using var root = new RpmRoot();
        root.Install("alpha");
        root.Erase("alpha");

        var first = Look(root, null);
        var second = Look(root, first);

        Assert.Equal([true], second.IsPresent);
        Assert.Empty(second.Entries);
        Assert.Empty(second.Gaps);
        Assert.Equal(1, root.Runs);
    }

    [Fact]
    public void Scan_OfABrokenDatabase_IsAGapAndTriedAgainLater()
    {
        using var root = new RpmRoot();
        Shell.Run(root.Folder, "rm -f rpmdb.sqlite*; head -c 8192 /dev/urandom > rpmdb.sqlite");

        var first = Look(root, null);
        var second = Look(root, first);

        Assert.Contains("rpm", Assert.Single(first.Gaps).Reason);
        Assert.Equal(first.Gaps, second.Gaps);
        Assert.Equal(1, root.Runs);
        _clock.Advance(TimeSpan.FromMinutes(6));
        Look(root, second);
        Assert.Equal(2, root.Runs);
    }

    /// <summary>rpm then makes an empty database of its own kind beside it, and says that nothing is installed.</summary>
    [Fact]
    public void Scan_OfADatabaseOfAKindThatRpmHereLacks_IsAGap()
    {
        using var root = new RpmRoot();
        Shell.Run(root.Folder, "rm -f rpmdb.sqlite*; printf RpmP > Packages.db; head -c 4092 /dev/zero >> Packages.db");

        var look = Look(root, null);

        Assert.Empty(look.Entries);
        Assert.Single(look.Gaps);
    }

    [Fact]
    public void Scan_WithoutTheProgram_IsAGapThatSaysWhatToInstall()
    {
        using var root = new RpmRoot();

        var look = PackageLook.By(null, new RpmScanner(root.Path, _clock, _memory, Path.GetTempPath(), program: null));

        Assert.Equal([true], look.IsPresent);
        Assert.Contains("install rpm", Assert.Single(look.Gaps).Reason);
    }

    [Fact]
    public void Scan_OfALinkOutOfTheRoot_LeadsNowhere()
    {
        using var elsewhere = new RpmRoot();
        elsewhere.Install("alpha");
        using var folder = new TemporaryDirectory();
        Directory.CreateDirectory(folder["var/lib"]);
        File.CreateSymbolicLink(folder["var/lib/rpm"], elsewhere.Folder);

        Assert.Equal([false], PackageLook.By(null, new RpmScanner(folder.Path, _clock, _memory, Path.GetTempPath())).IsPresent);
    }

    [Fact]
    public void Scan_BesideDpkg_TakesOverEachItsOwn()
    {
        using var root = new RpmRoot();
        root.Install("alpha");
        Directory.CreateDirectory(root.Path + "/var/lib/dpkg");
        File.WriteAllText(root.Path + "/var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n");
        var first = PackageLook.By(null, new DpkgScanner(root.Path, _clock), Scanner(root));

        var second = PackageLook.By(first, new DpkgScanner(root.Path, _clock), Scanner(root));

        Assert.Equal(["package:dpkg/a:all 1 install ok installed", "package:rpm/alpha:noarch 1.0-1"], second.Entries);
        Assert.Equal(1, root.Runs);
    }

    [Fact]
    public void Scan_OfADatabase_LeavesNothingBehind()
    {
        using var root = new RpmRoot();
        root.Install("alpha");
        var before = Shell.Run(root.Folder, "find . -printf '%p %s %T@ %C@\\n' | sort");

        Look(root, null);

        Assert.Equal(before, Shell.Run(root.Folder, "find . -printf '%p %s %T@ %C@\\n' | sort"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(root.Copies));
    }

    [Fact]
    public void Scan_AfterOneThatWasKilled_RemovesItsCopy()
    {
        using var root = new RpmRoot();
        root.Install("alpha");
        Directory.CreateDirectory(root.Copies + "/telemetry-rpm-old");
        File.WriteAllText(root.Copies + "/telemetry-rpm-old/rpmdb.sqlite", "");
        _clock.Advance(TimeSpan.FromHours(1));

        Look(root, null);

        Assert.Empty(Directory.EnumerateFileSystemEntries(root.Copies));
    }

    [Fact]
    public void Scan_WhereNoCopyCanBe_IsAGap()
    {
        using var root = new RpmRoot();
        root.Install("alpha");

        var look = PackageLook.By(null, new RpmScanner(root.Path, _clock, _memory, "/proc", root.CountingRpm()));

        Assert.Contains("can't be read", Assert.Single(look.Gaps).Reason);
    }

    private PackageLook Look(RpmRoot root, PackageLook? before) => PackageLook.By(before, Scanner(root));

    private RpmScanner Scanner(RpmRoot root) => new(root.Path, _clock, _memory, root.Copies, root.CountingRpm());
}
