using Telemetry.Agent.Linux;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Uplink;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Watch.Transactions;

/// <summary>A real dpkg, below a root of its own.</summary>
public sealed class TransactionReportTests : IDisposable
{
    private const string Generates = "mkdir -p \"$DPKG_ROOT/var\"; echo generated > \"$DPKG_ROOT/var/made\"";

    private readonly DpkgRoot _root = new();
    private Dictionary<EntryKey, Fingerprint> _before = [];
    private HashSet<EntryKey> _owned = [];

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Of_AnInstallation_VerifiesItsFilesAndMarksWhatItsScriptMade()
    {
        var package = _root.Build("1.0", "one", Generates);

        var report = Do($"-i {package}");

        Assert.Equal([new PackageTransition(EntryKey.Of("dpkg", "shop", "all"), null, "1.0")], report.Packages);
        Assert.Equal(["verified", "verified", "unverified", "unverified"], Memberships(report, "usr/bin/shop", "etc/shop.conf", "var/made", "var/lib/dpkg/status"));
        Assert.Equal("1.0", Assert.Single(report.ToMessage().Packages).ToVersion);
    }

    [Fact]
    public void Of_AnUpgrade_HasBothVersionsAndVerifiesWhatIsGone()
    {
        Do($"-i {_root.Build("1.0", "one")}");

        var report = Do($"-i {_root.Build("2.0", "two")}");

        Assert.Equal([new PackageTransition(EntryKey.Of("dpkg", "shop", "all"), "1.0", "2.0")], report.Packages);
        Assert.Equal(["verified", "verified", "verified"], Memberships(report, "usr/bin/shop", "usr/bin/shop-1.0", "usr/bin/shop-2.0"));
    }

    [Fact]
    public void Of_AnInstallationOnceMore_HasEqualVersions()
    {
        var package = _root.Build("1.0", "one");
        Do($"-i {package}");

        var report = Do($"-i {package}");

        Assert.Equal([new PackageTransition(EntryKey.Of("dpkg", "shop", "all"), "1.0", "1.0")], report.Packages);
    }

    [Fact]
    public void Of_ARemoval_VerifiesWhatIsGone()
    {
        Do($"-i {_root.Build("1.0", "one")}");

        var report = Do("-r shop", "usr/bin/shop");

        Assert.Equal([new PackageTransition(EntryKey.Of("dpkg", "shop", "all"), "1.0", null)], report.Packages);
        Assert.Equal(["verified"], Memberships(report, "usr/bin/shop"));
    }

    [Fact]
    public async Task Of_AnEditDuringTheTransaction_IsResidueAndItsLocksAreSeenLive()
    {
        var package = _root.Build("1.0", "one", "echo ready; while [ ! -e \"$DPKG_ROOT/go\" ]; do sleep 0.05; done");
        Remember();
        using var locks = new PackageLocks(_root.Path);
        using var processes = new TransactionProcesses("/proc");
        using var reader = new ActorReader("/proc", new UserNames("/", TimeProvider.System), TimeProvider.System);
        var tracker = new TransactionTracker();

        using var dpkg = _root.Start($"-i {package}");
        while (await dpkg.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && line != "ready")
        {
        }

        var held = locks.Held();
        Assert.Equal([new PackageLock("dpkg", dpkg.Id)], held);
        tracker.LocksHeld(held, DateTimeOffset.UnixEpoch);

        // The script is a child of dpkg's, this program is not.
        var script = int.Parse(Shell.Run("/", $"pgrep -P {dpkg.Id}").Split('\n')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(Belonging.Member, Of(dpkg.Id));
        Assert.Equal(Belonging.Member, Of(script));
        Assert.Equal(Belonging.Outside, Of(Environment.ProcessId));
        Assert.Equal(Belonging.Unknown, processes.Of(new Actor(1) { HasExited = true }, held));

        await File.WriteAllTextAsync(_root["usr/bin/shop"], "edited", TestContext.Current.CancellationToken);
        Assert.False(tracker.Changed(SomeChange.Of(EntryKey.OfPath("usr/bin/shop"), Belonging.Outside)));
        Assert.True(tracker.Changed(SomeChange.Of(EntryKey.OfPath("usr/bin/shop-1.0"), Belonging.Member)));
        Assert.False(tracker.Changed(SomeChange.Of(EntryKey.OfPath("etc/other"), Belonging.Outside)));
        await File.WriteAllTextAsync(_root["go"], "", TestContext.Current.CancellationToken);
        await dpkg.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Empty(locks.Held());

        var report = Report(tracker.LocksHeld(locks.Held(), DateTimeOffset.UnixEpoch)!);
        Assert.Equal(["residue", "verified", "none"], Memberships(report, "usr/bin/shop", "usr/bin/shop-1.0", "etc/other"));

        Belonging Of(int pid)
        {
            Assert.Equal(0, PidDescriptor.Open(pid, out var descriptor));
            var belonging = processes.Of(reader.Read(pid, descriptor, 1), held);
            OpenFile.Close(descriptor);
            return belonging;
        }
    }

    /// <summary>Everything that changed meanwhile counts as changed by dpkg.</summary>
    private TransactionReport Do(string arguments, params string[] gone)
    {
        Remember();
        var before = Files();
        var tracker = new TransactionTracker();
        tracker.LocksHeld([new PackageLock("dpkg", 1)], DateTimeOffset.UnixEpoch);

        _root.Run(arguments);

        foreach (var path in Files().Except(before).Concat(before.Except(Files())).Select(line => line.Split('\t')[0]).Concat(gone).Distinct())
            tracker.Changed(SomeChange.Of(EntryKey.OfPath(path), Belonging.Member));
        return Report(tracker.LocksHeld([], DateTimeOffset.UnixEpoch)!);
    }

    private void Remember()
    {
        _before = Entries();
        using var index = Index();
        _owned = [.. Files().Select(line => EntryKey.OfPath(line.Split('\t')[0])).Where(key => index.Owners(key).Count > 0)];
    }

    private TransactionReport Report(CompletedTransaction transaction)
    {
        using var index = Index();
        Assert.Equal(0, RootedTree.Open(_root.Path, out var tree));
        using (tree)
        {
            return TransactionReport.Of(
                transaction, _before, Entries(), _owned.Contains, index, tree!, Scans.LaterClock(), TestContext.Current.CancellationToken);
        }
    }

    private static string[] Memberships(TransactionReport report, params string[] paths) =>
        [.. paths.Select(path => report.Memberships[EntryKey.OfPath(path)].ToString().ToLowerInvariant())];

    private Dictionary<EntryKey, Fingerprint> Entries()
    {
        var mistakes = new List<string>();
        var entries = PackageEntries.Read([new DpkgScanner(_root.Path, TimeProvider.System)], mistakes, TestContext.Current.CancellationToken);
        Assert.Empty(mistakes);
        return entries;
    }

    private PackageFileIndex Index() => PackageFileIndex.Open("", [new DpkgFiles(_root.Path)], TestContext.Current.CancellationToken);

    /// <summary>Path, inode and times of each.</summary>
    private HashSet<string> Files() =>
        [.. Shell.Run(_root.Path, @"find . -type f -printf '%P\t%i\t%T@\t%C@\n'").Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
