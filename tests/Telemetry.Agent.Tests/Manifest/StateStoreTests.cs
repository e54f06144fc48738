using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Manifest;

public sealed class StateStoreTests : IDisposable
{
    private readonly TemporaryDirectory _tree = new();
    private readonly TemporaryDirectory _state = new();
    private readonly FakeTimeProvider _clock = Scans.LaterClock();

    public StateStoreTests()
    {
        for (var i = 0; i < 1000; i++)
            _tree.Write($"dir{i % 10}/file{i}", $"content {i}");
        _tree.Write("var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n");
    }

    [Fact]
    public void Look_First_MakesTheHeadThatAScanToAFileMakes()
    {
        using var store = Open();

        var ledger = Look(store);

        Assert.Equal(1u, ledger.Head!.Position.Sequence);
        Assert.Equal(Scans.Look(_tree.Path).Sighting.Roots, ledger.Head.Roots);
        Assert.Null(ledger.Head.ObservedAfter);
        Assert.Equal(1 + 10 + 1000 + 4 + 1, Entries(store).Count);
    }

    [Fact]
    public void Look_NothingChanged_ReadsNothingAndKeepsTheHead()
    {
        using var store = Open();
        var before = Look(store).Head;

        var progress = new ScanProgress();
        var after = Look(store, progress).Head;

        Assert.Equal(0, progress.FilesRead);
        Assert.Equal(before, after);
    }

    [Fact]
    public void Look_FilesWrittenJustNow_AreReadAgain()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var store = new StateStore(_state.Path, Scans.StateOptions, clock, NullLogger.Instance);
        store.Look(Scans.Of(_tree.Path, clock: clock), new ScanProgress(), TestContext.Current.CancellationToken);

        var progress = new ScanProgress();
        store.Look(Scans.Of(_tree.Path, clock: clock), progress, TestContext.Current.CancellationToken);

        Assert.True(progress.FilesRead > 0);
    }

    [Fact]
    public void Look_ChangeAndRevert_GiveNewHeadsAndTheFirstRootsAgain()
    {
        using var store = Open();
        var first = Look(store).Head!;
        Shell.Run(_tree.Path, "printf changed > dir3/file3; rm dir4/file4; mkdir dir5/new; chmod 4755 dir6/file6");
        var second = Look(store).Head!;
        Assert.Equal(Scans.Look(_tree.Path).Sighting.Roots, second.Roots);

        Shell.Run(_tree.Path, "printf 'content 3' > dir3/file3; printf 'content 4' > dir4/file4; rmdir dir5/new; chmod 0644 dir6/file6");
        var third = Look(store).Head!;

        Assert.NotEqual(first.Roots, second.Roots);
        Assert.Equal(first.Roots, third.Roots);
        Assert.Equal((1u, 2u, 3u), (first.Position.Sequence, second.Position.Sequence, third.Position.Sequence));
        Assert.Equal(1 + 10 + 1000 + 4 + 1, Entries(store).Count);
    }

    [Fact]
    public void Look_ScopeShrinks_LeavesNoNodeBehind()
    {
        using var store = Open();
        Look(store);

        var scope = WatchScope.Of(_tree.Path, ["/dir1/file1"], []);
        var head = store.Look(Scans.Of(_tree.Path, scope, _clock), new ScanProgress(), TestContext.Current.CancellationToken).Head!;

        Assert.Equal(Scans.Look(_tree.Path, scope).Sighting.Roots, head.Roots);
        Assert.Equal("2", Sqlite("SELECT count(*) FROM nodes WHERE kind IN (1, 2)"));
    }

    [Fact]
    public void Open_Again_KnowsTheHeadAndReadsNothing()
    {
        LocalHead before;
        using (var store = Open())
            before = Look(store).Head!;

        using var again = Open();
        Assert.Equal(before, again.Ledger.Head);
        var progress = new ScanProgress();
        Assert.Equal(before, Look(again, progress).Head);
        Assert.Equal(0, progress.FilesRead);
    }

    [Fact]
    public void Look_CalledOffInTheMiddle_LeavesTheHeadBefore()
    {
        using var store = Open();
        var before = Look(store).Head;
        Shell.Run(_tree.Path, "printf changed > dir3/file3");
        using var source = new CancellationTokenSource();
        var scan = new ManifestScan([new FileScanner(_tree.Path, Scans.Rules(), _clock), new Canceller(source)], Scope.Everything, _clock);

        Assert.ThrowsAny<OperationCanceledException>(() => store.Look(scan, new ScanProgress(), source.Token));

        Assert.Equal(before, store.Ledger.Head);
        Assert.Equal(before!.Roots.File, TreeNodeOf(store, before.Roots.File));
        Assert.Equal(2u, Look(store).Head!.Position.Sequence);
    }

    [Theory]
    [InlineData("head -c 3000 /dev/urandom | dd of=state.db conv=notrunc status=none")]
    [InlineData("truncate -s 20000 state.db")]
    [InlineData("printf garbage > state.db")]
    public void Open_DamagedDatabase_IsMadeAnewWithAHigherEpoch(string damage)
    {
        LocalHead before;
        using (var store = Open())
            before = Look(store).Head!;
        Shell.Run(_state.Path, damage);
        _clock.Advance(TimeSpan.FromSeconds(1));

        using var again = Open();
        var head = Look(again).Head!;

        Assert.Equal(before.Roots, head.Roots);
        Assert.True(head.Position.Epoch > before.Position.Epoch);
        Assert.False(again.IsInMemory);
    }

    [Fact]
    public void ReadNode_BytesThatAreNotTheNode_AreNotHandedOutAndTheNextLookRepairs()
    {
        using var store = Open();
        var before = Look(store).Head!;
        Sqlite("UPDATE nodes SET body = zeroblob(100) WHERE kind = 1 AND level > 0");
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Null(store.ReadNode(before.Roots.File));

        var after = Look(store).Head!;
        Assert.Equal(before.Roots, after.Roots);
        Assert.True(after.Position.Epoch > before.Position.Epoch);
        Assert.NotNull(store.ReadNode(after.Roots.File));
    }

    [Fact]
    public void ReadNode_OfAnAnnouncedHead_LastsUntilTheAcknowledgement()
    {
        using var store = Open();
        var announced = Look(store).Head!;
        store.Announce(announced.Position);
        Shell.Run(_tree.Path, "printf changed > dir3/file3");
        Look(store);
        Assert.NotNull(store.ReadNode(announced.Roots.File));

        store.Apply(ledger => ledger.Acked(announced.Position));
        Shell.Run(_tree.Path, "printf changed-again > dir3/file3");
        Look(store);

        Assert.Null(store.ReadNode(announced.Roots.File));
    }

    [Fact]
    public void NodesSince_TheAcknowledgedHead_AreThePathsToWhatChanged()
    {
        using var store = Open();
        var first = Look(store).Head!;
        Shell.Run(_tree.Path, "printf changed > dir3/file3");
        var second = Look(store).Head!;

        var nodes = store.NodesSince(first.Generation, 100_000)!;

        Assert.Contains(nodes, node => TreeNode.DigestOf(node) == second.Roots.File);
        Assert.InRange(nodes.Count, 2, 6);
        Assert.Null(store.NodesSince(0, 1000));
    }

    [Fact]
    public void Open_DirectoryThatCannotBeWritten_WorksFromMemory()
    {
        using var store = new StateStore("/proc/no/such/directory", Scans.StateOptions, _clock, NullLogger.Instance);

        var head = Look(store).Head!;

        Assert.True(store.IsInMemory);
        Assert.NotEqual("", store.Failure);
        Assert.Equal(Scans.Look(_tree.Path).Sighting.Roots, head.Roots);
    }

    /// <summary>Whatever state this one is in: an agent that was killed again and again would fill the memory of the machine.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Open_WhatAKilledAgentLeftInMemory_IsTakenAway(bool isOnDisk)
    {
        using var live = new StateStore("/proc/no/such/directory", Scans.StateOptions, _clock, NullLogger.Instance);
        var left = Directory.CreateDirectory($"/dev/shm/telemetry-agent-{Guid.NewGuid():n}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        Shell.Run(left, "touch lock; echo state > state.db");

        using var store = isOnDisk ? Open() : new StateStore("/proc/no/such/directory", Scans.StateOptions, _clock, NullLogger.Instance);

        Assert.False(Directory.Exists(left));
        Assert.NotNull(Look(live).Head);
        Assert.True(Look(live, new ScanProgress()).Head is { Position.Sequence: 1 } && live.IsInMemory);
    }

    [Fact]
    public void Look_DirectoryStillCannotBeWritten_KeepsWhatIsInMemory()
    {
        using var store = new StateStore("/proc/no/such/directory", Scans.StateOptions, _clock, NullLogger.Instance);
        var head = Look(store).Head!;

        _clock.Advance(Scans.StateOptions.ReturnAfter);
        var progress = new ScanProgress();
        var again = Look(store, progress).Head!;

        Assert.True(store.IsInMemory);
        Assert.Equal((head.Position, 0), (again.Position, progress.FilesRead));
    }

    [Fact]
    public void Look_DirectoryCanBeWrittenAgain_ReturnsToItWhenItIsTime()
    {
        var late = _state["late"];
        using var store = new StateStore(late, Scans.StateOptions, _clock, NullLogger.Instance);
        var head = Look(store).Head!;
        Directory.CreateDirectory(late);

        Look(store);
        Assert.True(store.IsInMemory);
        _clock.Advance(Scans.StateOptions.ReturnAfter);
        var onDisk = Look(store).Head!;

        Assert.False(store.IsInMemory);
        Assert.Null(store.Failure);
        Assert.True(onDisk.Position.Epoch > head.Position.Epoch);
        Assert.Equal(head.Roots, onDisk.Roots);
        Assert.True(File.Exists(Path.Combine(late, "state.db")));
    }

    [Fact]
    public void Look_DatabaseMadeAnew_GoesOnCountingGenerations()
    {
        using var store = Open();
        Look(store);
        Shell.Run(_tree.Path, "printf changed > dir3/file3");
        var before = Look(store).Head!;
        Sqlite("UPDATE nodes SET body = zeroblob(100) WHERE kind = 1 AND level > 0");
        store.ReadNode(before.Roots.File);

        var after = Look(store).Head!;

        Assert.Equal(before.Generation + 1, after.Generation);
        Assert.NotEmpty(store.NodesSince(before.Generation, int.MaxValue)!);
        Assert.Empty(store.NodesSince(after.Generation, int.MaxValue)!);
    }

    [Fact]
    public void Look_BackOnADiskWithAnOlderHead_GoesOnCountingGenerations()
    {
        string late = _state["late"], away = _state["away"];
        Directory.CreateDirectory(late);
        using (var earlier = new StateStore(late, Scans.StateOptions, _clock, NullLogger.Instance))
            Look(earlier);
        Directory.Move(late, away);
        File.WriteAllText(late, "in the way");
        using var store = new StateStore(late, Scans.StateOptions, _clock, NullLogger.Instance);
        Look(store);
        Shell.Run(_tree.Path, "printf changed > dir3/file3");
        var inMemory = Look(store).Head!;
        File.Delete(late);
        Directory.Move(away, late);
        _clock.Advance(Scans.StateOptions.ReturnAfter);

        var onDisk = Look(store).Head!;

        Assert.False(store.IsInMemory);
        Assert.Equal(inMemory.Roots, onDisk.Roots);
        Assert.Equal(inMemory.Generation + 1, onDisk.Generation);
    }

    [Fact]
    public void Look_DirectoryCanBeWrittenAgainAfterTheClockWasSetBack_ReturnsToItWhenItIsTime()
    {
        var (late, clock) = (_state["late"], new SetClock(_clock));
        using var store = new StateStore(late, Scans.StateOptions, clock, NullLogger.Instance);
        Look(store);
        Directory.CreateDirectory(late);

        clock.Ahead = TimeSpan.FromHours(-1);
        _clock.Advance(Scans.StateOptions.ReturnAfter);
        Look(store);

        Assert.False(store.IsInMemory);
    }

    public void Dispose()
    {
        _tree.Dispose();
        _state.Dispose();
    }

    private StateStore Open() => new(_state.Path, Scans.StateOptions, _clock, NullLogger.Instance);

    private HeadLedger Look(StateStore store, ScanProgress? progress = null)
    {
        // Late enough for what the test wrote before to be trusted.
        _clock.Advance(TimeSpan.FromSeconds(10));
        return store.Look(Scans.Of(_tree.Path, clock: _clock), progress ?? new ScanProgress(), TestContext.Current.CancellationToken);
    }

    private static List<TreeEntry> Entries(StateStore store)
    {
        var source = new StoreNodes(store);
        return [.. EntryKinds.All.SelectMany(kind => TreeReader.Entries(source, store.Ledger.Head!.Roots[kind]))];
    }

    private static Digest TreeNodeOf(StateStore store, Digest digest) => TreeNode.DigestOf(store.ReadNode(digest));

    private string Sqlite(string sql)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={_state["state.db"]};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar()?.ToString() ?? "";
    }

    private sealed class StoreNodes(StateStore store) : INodeSource
    {
        public ReadOnlyMemory<byte> Read(Digest digest) => store.ReadNode(digest) ?? throw new NodeMissingException(digest);
    }

    /// <summary>Calls the scan off when its turn comes, after the files.</summary>
    private sealed class Canceller(CancellationTokenSource source) : IScanner
    {
        public Scanner Identity { get; } = new(EntryKind.System, "cancel", 1, 0);

        public bool Scan(ScanPass pass, CancellationToken cancellation)
        {
            source.Cancel();
            cancellation.ThrowIfCancellationRequested();
            return true;
        }
    }
}
