using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Watch;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Manifest;

public sealed class PartScanTests : IDisposable
{
    private static readonly string Mutate = Path.Combine(Programs.Repository, "tests/Telemetry.Agent.Tests/Scan/mutate.pl");

    private readonly TemporaryDirectory _tree = new();
    private readonly TemporaryDirectory _state = new();
    private readonly ScanPlan _plan;

    public PartScanTests()
    {
        _tree.Write("first", "");
        _plan = new ScanPlan(_tree.Path) { Local = Scope.Everything, Settings = false };
    }

    /// <summary>After each batch of random operations, looking at what changed leaves the state that looking at everything makes.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void LookAgain_AtWhatChanged_LeavesTheStateOfALookAtEverything(int seed)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "changing owners and capabilities needs root");
        using var store = Open(_state.Path);
        Look(store);
        var before = Entries();

        foreach (var (batch, operations) in new[] { 300, 1, 2, 500, 5, 40, 300, 1, 1, 400, 20, 500 }.Index())
        {
            Shell.Run("/", $"perl '{Mutate}' {seed + batch} {operations} '{_tree.Path}'");
            var after = Entries();
            var ledger = LookAgain(store, Changed(before, after));

            Assert.NotNull(ledger);
            AssertSameState(ledger.Head!);
            before = after;
        }

        Assert.True(before.Count > 50, $"only {before.Count} entries are left");
    }

    [Fact]
    public void LookAgain_EverythingIsGone_LeavesTheRoot()
    {
        using var store = Open(_state.Path);
        Shell.Run(_tree.Path, "for i in $(seq 500); do echo $i > f$i; done");
        Look(store);
        Shell.Run(_tree.Path, "rm -f *");

        var ledger = LookAgain(store, [new LookPart(EntryKey.Root, IsDeep: true)]);

        AssertSameState(ledger!.Head!);
    }

    [Fact]
    public void LookAgain_NothingIsDifferent_KeepsTheHead()
    {
        using var store = Open(_state.Path);
        var before = Look(store).Head;

        var after = LookAgain(store, [new LookPart(EntryKey.Of("first"), IsDeep: false), new LookPart(EntryKey.Of("never", "there"), IsDeep: true)]);

        Assert.Equal(before, after!.Head);
    }

    /// <summary>The head that is there may be acknowledged before what is told of it yet: then nothing would keep that.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LookAgain_TellsWhoChangedWhat_OfAHeadThatIsNotAnnouncedYet(bool isDifferent)
    {
        using var store = Open(_state.Path);
        var announced = Look(store).Head!.Generation;
        if (isDifferent)
            _tree.Write("first", "other");
        var told = 0L;

        LookAgain(store, [new LookPart(EntryKey.Of("first"), IsDeep: false)], generation => told = generation);

        Assert.Equal(announced + 1, told);
    }

    /// <summary>A kill at any point leaves a head together with who made it, or neither: then the look at everything makes that head.</summary>
    [Fact]
    public void LookAgain_KilledWhenItWasToldWhoChangedWhat_LeavesTheHeadToTheNextStart()
    {
        using var store = Open(_state.Path);
        var before = Look(store).Head!.Generation;
        _tree.Write("first", "other");
        var told = 0L;
        using var killed = new TemporaryDirectory();

        LookAgain(store, [new LookPart(EntryKey.Of("first"), IsDeep: false)], generation =>
        {
            told = generation;
            Shell.Run(_state.Path, $"cp state.db state.db-wal '{killed.Path}'");
        });

        using var next = Open(killed.Path);
        Assert.Equal(before, next.Ledger.Head!.Generation);
        Assert.Equal(told, Look(next).Head!.Generation);
        Assert.Equal(store.Ledger.Head!.Roots, next.Ledger.Head!.Roots);
    }

    [Fact]
    public void Find_OfWhatIsDirty_HasWhatIsThereAndWhatIsGone()
    {
        using var store = Open(_state.Path);
        Look(store);
        var seenUntil = DateTimeOffset.UnixEpoch.AddSeconds(1);
        var dirt = new Dirt(IsDeep: false, default, DateTimeOffset.UnixEpoch, new ChangeOrigin(seenUntil, By: null));
        var part = new DirtyPart([new(EntryKey.Of("first"), dirt), new(EntryKey.Of("gone"), dirt), new(EntryKey.Of("later"), dirt with { UnchangedUntil = seenUntil })], loss: null);
        var scan = _plan.PartsUnder(Scans.NoPolicy, Scans.Key, TimeProvider.System, part.Parts, facts: false);

        store.LookAgain(scan, DateTimeOffset.UnixEpoch, (_, _) => { }, new ScanProgress(), TestContext.Current.CancellationToken);

        Assert.Equal(
            [("first", true), ("gone", false)], scan.Find(part, seenUntil).Select(found => (Encoding.UTF8.GetString(found.Edit.Key), found.Edit.Value is not null)));
    }

    [Fact]
    public void LookAgain_ADirectoryThatBecameAFile_LosesWhatWasBelow()
    {
        using var store = Open(_state.Path);
        _tree.Write("dir/a/b", "");
        Look(store);
        Shell.Run(_tree.Path, "rm -r dir; echo > dir");

        var ledger = LookAgain(store, [new LookPart(EntryKey.Of("dir"), IsDeep: false), new LookPart(EntryKey.Of("dir", "a", "b"), IsDeep: false)]);

        AssertSameState(ledger!.Head!);
    }

    [Fact]
    public void LookAgain_OtherScope_IsRefused()
    {
        using var store = Open(_state.Path);
        store.Look(Scans.Of(_tree.Path, WatchScope.Of(_tree.Path, ["/first"], [])), new ScanProgress(), TestContext.Current.CancellationToken);

        Assert.Null(LookAgain(store, [new LookPart(EntryKey.Of("first"), IsDeep: false)]));
    }

    public void Dispose()
    {
        _tree.Dispose();
        _state.Dispose();
    }

    private static StateStore Open(string directory) => new(directory, Scans.StateOptions, TimeProvider.System, NullLogger.Instance);

    private HeadLedger Look(StateStore store) =>
        store.Look(_plan.Under(Scans.NoPolicy, Scans.Key, TimeProvider.System), new ScanProgress(), TestContext.Current.CancellationToken);

    private HeadLedger? LookAgain(StateStore store, IReadOnlyList<LookPart> parts, Action<long>? told = null) => store.LookAgain(
        _plan.PartsUnder(Scans.NoPolicy, Scans.Key, TimeProvider.System, parts, facts: false),
        DateTimeOffset.UnixEpoch,
        (generation, _) => told?.Invoke(generation),
        new ScanProgress(),
        TestContext.Current.CancellationToken);

    private Dictionary<EntryKey, Fingerprint> Entries() =>
        Scans.Look(_tree.Path).Entries(EntryKind.File).ToDictionary(entry => entry.Key, entry => entry.Fingerprint);

    /// <summary>As who watches tells it: a directory that came or went with all below it.</summary>
    private static IReadOnlyList<LookPart> Changed(Dictionary<EntryKey, Fingerprint> before, Dictionary<EntryKey, Fingerprint> after)
    {
        var changed = before.Keys.Union(after.Keys).Where(key => before.GetValueOrDefault(key) != after.GetValueOrDefault(key)).ToDictionary(
            key => key,
            key => new Dirt(before.GetValueOrDefault(key)?.Type != after.GetValueOrDefault(key)?.Type, default, DateTimeOffset.UnixEpoch, Origin: null));
        return new DirtyPart(changed, loss: null).Parts;
    }

    private void AssertSameState(LocalHead head)
    {
        using var fresh = new TemporaryDirectory();
        using var store = Open(fresh.Path);
        Assert.Equal(Look(store).Head!.Roots, head.Roots);
        Assert.Equal(Nodes(fresh.Path), Nodes(_state.Path));
    }

    /// <summary>Every node with its place and the stamps beside it.</summary>
    private static List<string> Nodes(string directory)
    {
        using var connection = new SqliteConnection($"Data Source={directory}/state.db;Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT kind || ' ' || level || ' ' || hex(first_key) || ' ' || hex(digest) || ' ' || length(stamps) FROM nodes ORDER BY kind, level, first_key";
        using var rows = command.ExecuteReader();
        var nodes = new List<string>();
        while (rows.Read())
            nodes.Add(rows.GetString(0));
        return nodes;
    }
}
