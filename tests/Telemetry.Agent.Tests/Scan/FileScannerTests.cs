using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

public sealed class FileScannerTests
{
    [Fact]
    public void Scan_WithinScope_YieldsTheIncludedAndWhatIsBelow()
    {
        using var directory = new TemporaryDirectory();
        foreach (var name in (string[])["usr/bin/ls", "usr/bin/x/y", "usr/lib/z", "usr/bin-other", "etc/passwd"])
            directory.Write(name, name);

        var scope = WatchScope.Of(directory.Path, ["/usr/bin", "/missing", "/etc"], ["/usr/bin/x"]);
        var keys = Scans.Look(directory.Path, scope).Entries(EntryKind.File).Select(entry => KeyText.Format(EntryKind.File, entry.Key.Bytes));

        Assert.Equal(["/etc", "/etc/passwd", "/usr/bin", "/usr/bin/ls"], keys);
    }

    [Fact]
    public void Scan_IncludeBehindALink_IsAGap()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("usr/bin/ls", "");
        Shell.Run(directory.Path, "ln -s usr/bin bin");

        var scope = WatchScope.Of(directory.Path, ["/bin/ls"], []);
        var scanned = Scans.Look(directory.Path, scope);

        Assert.Empty(scanned.Entries(EntryKind.File));
        var gap = Assert.Single(scanned.Sighting.Coverage.Gaps);
        Assert.Contains("symbolic link", gap.Reason);
    }

    [Fact]
    public void Scan_OtherFilesystemOnTheWay_IsAnEntryAndAGap()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "there is no /dev/shm");

        var scanned = Scans.Look("/", WatchScope.Of("/", ["/dev"], []));

        Assert.Contains(scanned.Sighting.Coverage.Gaps, gap => gap.Prefix == EntryKey.OfPath("/dev/shm") && gap.Reason == "other filesystem");
        Assert.Equal(FileType.Directory, scanned.Find("/dev/shm")!.Type);
        Assert.Equal(FileType.CharacterDevice, scanned.Find("/dev/null")!.Type);
        Assert.Equal(1ul << 32 | 3, scanned.Find("/dev/null")!.Device);
    }

    [Fact]
    public void Scan_PathLongerThanAKey_IsAGapAndTheRestGoesOn()
    {
        using var directory = new TemporaryDirectory();
        Shell.Run(directory.Path, "printf x > zzz; d=$(printf 'd%.0s' {1..200}); for i in {1..22}; do mkdir $d; cd $d; done; printf y > file");

        var scanned = Scans.Look(directory.Path);

        Assert.NotNull(scanned.Find("zzz"));
        var gap = Assert.Single(scanned.Sighting.Coverage.Gaps);
        Assert.True(gap.Prefix.Length is > 3800 and <= EntryKey.MaxLength);
    }

    [Fact]
    public void Scan_DirectoryDeeperThanOpenFilesUsuallyAllow_LosesNothing()
    {
        using var directory = new TemporaryDirectory();
        Shell.Run(directory.Path, "p=$(printf 'd/%.0s' {1..1500}); mkdir -p $p; printf y > ${p}file");

        var scanned = Scans.Look(directory.Path);

        Assert.True(scanned.Sighting.Entries == 1502 || scanned.Sighting.Coverage.Gaps.Length == 1);
    }

    [Fact]
    public async Task Scan_FilesThatVanishMeanwhile_KeepsTheOthers()
    {
        using var directory = new TemporaryDirectory();
        for (var i = 0; i < 2000; i++)
            directory.Write($"dir{i % 20}/stable{i}", "x");
        using var stop = new CancellationTokenSource();
        var churn = Task.Run(
            () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    var name = directory.Write($"dir{i % 20}/vanishing{i % 100}", "y");
                    File.AppendAllText(name, "more");
                    File.Delete(name);
                }
            },
            TestContext.Current.CancellationToken);

        for (var round = 0; round < 3; round++)
        {
            var entries = Scans.Look(directory.Path).Entries(EntryKind.File);
            Assert.Equal(2000, entries.Count(entry => entry.Key.ToString().Contains("/stable") && entry.Fingerprint.IsStable));
        }

        await stop.CancelAsync();
        await churn;
    }

    [Fact]
    public void Scan_ByAUserWhoMayNotRead_SaysUnreadableAndGap()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("secret", "x");
        directory.Write("closed/inside", "x");
        directory.Write("open", "x");
        Shell.Run(directory.Path, "chmod 0755 .; chmod 0600 secret; chmod 0700 closed; mkdir out; chmod 0777 out");
        Shell.Run(directory.Path, $"cp -r '{AppContext.BaseDirectory}' program; chmod -R a+rX program");
        var user = Environment.UserName == "root" ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "";
        if (user.Length == 0)
            Shell.Run(directory.Path, "chmod 0000 secret closed");

        Shell.Run(directory.Path, $"cd /; HOME=/tmp {user} '{directory["program/telemetry-agent"]}' scan --root '{directory.Path}' --out '{directory["out/m"]}'");

        using var file = Telemetry.Protocol.Files.ManifestFile.Open(directory["out/m"]);
        Fingerprint Find(string path) => TreeReader.Find(file, file.Head.Roots.File, EntryKey.OfPath(path))!;
        Assert.Equal(EntryState.Unreadable, Find("secret").State);
        Assert.Null(Find("secret").Content);
        Assert.Equal(1ul, Find("secret").Size);
        Assert.Equal(EntryState.Unreadable, Find("closed").State);
        Assert.Equal(EntryState.Stable, Find("open").State);
        Assert.Contains(file.Head.Coverage.Gaps, gap => gap.Prefix == EntryKey.OfPath("closed"));
    }

    [Fact]
    public void Scan_RootThatIsNotThere_SaysSo()
    {
        var failure = Assert.Throws<ScanRootException>(() => Scans.Look("/no/such/root"));

        Assert.Contains("/no/such/root", failure.Message);
    }
}
