using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Scrub;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scrub;

[Collection("Mounts")]
public sealed class ScrubberTests : IDisposable
{
    private readonly TemporaryDirectory _tree = new();
    private readonly TemporaryDirectory _state = new();
    private readonly FakeTimeProvider _clock = Scans.LaterClock();

    public void Dispose()
    {
        _tree.Dispose();
        _state.Dispose();
    }

    [Fact]
    public void Read_NothingChanged_FindsNothing()
    {
        _tree.Write("etc/a", "one");
        using var store = Looked();

        Assert.Empty(Scrub(store));
    }

    [Fact]
    public void Read_ChangedOpenly_LeavesItToTheScan()
    {
        _tree.Write("etc/a", "one");
        using var store = Looked();

        Shell.Run(_tree.Path, "printf two > etc/a; touch -d '2001-01-01' etc/a; rm -rf etc/b");

        Assert.Empty(Scrub(store));
    }

    [Fact]
    public void Rescan_TimesSetBack_ShowsAllTheSame()
    {
        _tree.Write("etc/a", "one");
        Shell.Run(_tree.Path, "touch -d '2020-01-01 01:02:03.456' etc/a");
        using var store = Looked();
        var before = store.Ledger.Head!.Roots;

        Shell.Run(_tree.Path, "printf two > etc/a; touch -d '2020-01-01 01:02:03.456' etc/a");
        Look(store);

        Assert.NotEqual(before, store.Ledger.Head!.Roots);
    }

    /// <summary>Written into the image of an unmounted filesystem, no time changes: only reading finds it.</summary>
    [Fact]
    public void Read_WrittenPastTheFilesystem_IsFoundAndTheNextScanTellsIt()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/dev/loop-control"), "mounting an image needs root and loop devices");
        using var image = new TemporaryDirectory();
        Shell.Run(image.Path, $"truncate -s 8M fs.img; mkfs.ext4 -q fs.img; losetup -f --show fs.img > device; mount $(cat device) '{_tree.Path}'");
        try
        {
            Shell.Run(_tree.Path, "head -c 5000 /dev/zero | tr '\\0' A > victim; printf other > other; sync");
            Remount(image, ":");
            using var store = Looked();
            var before = store.Ledger.Head!.Roots;

            Remount(image, "printf B | dd of=$(cat device) bs=1 seek=$(LC_ALL=C grep -abo -m1 AAAAAAAA fs.img | head -n1 | cut -d: -f1) conv=notrunc status=none");
            Look(store);
            Assert.Equal(before, store.Ledger.Head!.Roots);

            var found = Scrub(store);
            Assert.Equal([EntryKey.Of("victim")], found);
            Look(store, found);
            Assert.Equal(Scans.Look(_tree.Path).Sighting.Roots, store.Ledger.Head!.Roots);
            Assert.NotEqual(before, store.Ledger.Head!.Roots);
        }
        finally
        {
            Shell.Run(image.Path, $"umount '{_tree.Path}'; losetup -d $(cat device)");
        }
    }

    [Fact]
    public void Read_LinkOnTheWay_IsNotFollowed()
    {
        _tree.Write("etc/a", "one");
        _tree.Write("other/a", "two");
        using var store = Looked();

        Shell.Run(_tree.Path, "mv etc was; ln -s other etc");

        Assert.Empty(Scrub(store));
    }

    private void Remount(TemporaryDirectory image, string between) =>
        Shell.Run(image.Path, $"umount '{_tree.Path}'; {between}; sync; mount $(cat device) '{_tree.Path}'");

    private StateStore Looked()
    {
        var store = new StateStore(_state.Path, Scans.StateOptions, _clock, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        Look(store);
        return store;
    }

    private void Look(StateStore store, IReadOnlyList<EntryKey>? dirty = null)
    {
        var scan = new ManifestScan([new FileScanner(_tree.Path, Scans.Rules(), _clock)], Scope.Everything, _clock) { Dirty = dirty ?? [] };
        store.Look(scan, new ScanProgress(), TestContext.Current.CancellationToken);
    }

    private List<EntryKey> Scrub(StateStore store)
    {
        var budget = new ReadBudget(long.MaxValue, TimeProvider.System);
        var scrubber = new Scrubber(_tree.Path, Scans.Rules().Secrets, budget, new ScanProgress(), _clock);
        var found = new List<EntryKey>();
        byte[]? last = null;
        while (store.NextLeaf(EntryKind.File, last) is { } leaf)
        {
            found.AddRange(scrubber.Read(leaf, TestContext.Current.CancellationToken));
            last = leaf.FirstKey;
        }

        return found;
    }
}
