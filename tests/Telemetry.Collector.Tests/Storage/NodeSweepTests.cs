using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Collector.Tests.Ingest;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Storage;

public sealed partial class NodeSweepTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly HistoryRetention _retention;

    public NodeSweepTests() => _retention = new HistoryRetention(
        _collector.Store, [], new StoreOptions(TimeSpan.FromDays(400)), _collector.Time, NullLogger<HistoryRetention>.Instance);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Forget_StatesSupersededLongAgo_KeepsWhatWasThenAndIsNow()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();
        var tree = FileTree.OfSize(1_000);
        for (var i = 1ul; i <= 3; i++)
        {
            tree["/srv/5/5"] = Some.File($"version {i}");
            agent.Report(tree, sequence: i);
            _collector.Time.Advance(TimeSpan.FromDays(300));
        }

        ForgetTwice();

        // 900 days after the first: the second was so at the boundary, the third is so now.
        Assert.Equal([3ul, 2ul], Sequences("i-1"));
        AssertWhole();
        Assert.Equal(CountReachable(), CountStored());
    }

    [Fact]
    public void Forget_IdsThatGrewPastFourBytes_RemovesWhatNothingReaches()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();
        var tree = FileTree.OfSize(1_000);
        agent.Report(tree, sequence: 1);
        _collector.Alter("UPDATE nodes SET id = id + 5000000000");
        tree["/srv/5/5"] = Some.File("later");
        agent.Report(tree, sequence: 2);
        var before = CountStored();
        _collector.Time.Advance(TimeSpan.FromDays(401));

        ForgetTwice();

        AssertWhole();
        Assert.InRange(CountStored(), 1, before - 1);
        Assert.Equal(CountReachable(), CountStored());
    }

    [Fact]
    public void Forget_NodesOfAnUnfinishedHead_AreKeptUntilTheSecondTime()
    {
        var (roots, nodes) = FileTree.OfSize(60_000).Build();
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        SendHalf(stream, roots, nodes);
        var before = CountStored();

        _retention.Forget(Cancellation);
        var afterOne = CountStored();
        _retention.Forget(Cancellation);

        Assert.InRange(before, 100, nodes.Count);
        Assert.Equal(before, afterOne);
        Assert.Equal(0, CountStored());
    }

    [Fact]
    public void Head_WhoseNodesAreSweptWhileItIsIncomplete_CompletesAllTheSame()
    {
        var tree = FileTree.OfSize(60_000);
        var (roots, nodes) = tree.Build();
        var stream = _collector.NewStream();
        var agent = new FakeAgent(stream).Hello();
        SendHalf(stream, roots, nodes);
        ForgetTwice();

        var ack = agent.Report(tree, sequence: 2);

        Assert.NotNull(ack);
        AssertWhole();
        Assert.Equal(60_000, _collector.Store.Read(transaction => TreeReader.Entries(transaction.Nodes, roots.File).Count()));
    }

    [Fact]
    public void Head_ThatReliesOnNodesSweptMeanwhile_AsksForThemAnew()
    {
        // The tree is there, but nothing refers to it any more when the head that has most of it is announced.
        var old = new FakeAgent(_collector.NewStream(), "i-old").Hello();
        var tree = FileTree.OfSize(3_000);
        old.Report(tree);
        _retention.Forget(Cancellation);
        _collector.Time.Advance(TimeSpan.FromDays(1));
        old.Report(FileTree.OfSize(1), sequence: 2);
        _collector.Time.Advance(TimeSpan.FromDays(401));

        tree["/srv/5/5"] = Some.File("changed");
        var (roots, nodes) = tree.Build();
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        var requests = new Queue<V1.ConnectResponse>(stream.Receive(FakeAgent.Head(roots)));
        ForgetTwice();
        var sent = Serve(stream, requests, nodes, out var isAcknowledged);

        Assert.True(isAcknowledged);
        Assert.InRange(sent, 100, int.MaxValue);
        AssertWhole();
    }

    [Fact]
    public async Task Forget_WhileInstancesChangeAndChangeBack_NeverBreaksATree()
    {
        var isDone = false;
        var trees = Enumerable.Range(0, 4).Select(i =>
        {
            var tree = FileTree.OfSize(2_000);
            for (var change = 0; change < i * 20; change++)
                tree[$"/srv/{change}/of-{i}"] = Some.File($"{i} {change}");
            return tree;
        }).ToList();

        var agents = Enumerable.Range(0, 3).Select(number => Task.Run(
            () =>
            {
                var random = new Random(number);
                for (var sequence = 1ul; sequence <= 40; sequence++)
                {
                    var tree = trees[random.Next(trees.Count)];
                    while (!IsTaken(number, tree, sequence))
                        Cancellation.ThrowIfCancellationRequested();
                    _collector.Time.Advance(TimeSpan.FromDays(100));
                }
            },
            Cancellation)).ToList();
        var forgetting = Task.Run(
            () =>
            {
                while (!Volatile.Read(ref isDone))
                    _retention.Forget(Cancellation);
            },
            Cancellation);

        await Task.WhenAll(agents);
        Volatile.Write(ref isDone, true);
        await forgetting;

        AssertWhole();
        _collector.Time.Advance(TimeSpan.FromDays(401));
        ForgetTwice();
        AssertWhole();
        Assert.Equal(CountReachable(), CountStored());

        // What is swept again and again ends a stream, and its agent comes back.
        bool IsTaken(int number, FileTree tree, ulong sequence)
        {
            try
            {
                Assert.NotNull(new FakeAgent(_collector.NewStream(), $"i-{number}").Hello().Report(tree, sequence));
                return true;
            }
            catch (NodeMissingException)
            {
                return false;
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Head_ThatTakesLongerThanBetweenTwoSweeps_IsWhole(bool isOnOneStream)
    {
        const int Entries = 200_000;
        var (roots, nodes) = FileTree.OfSize(Entries).Build();
        var (stream, requests) = Announce(roots);
        for (var part = 1; part < 4; part++)
        {
            Serve(stream, requests, nodes, out _, stopAfter: nodes.Count / 4);
            _retention.Forget(Cancellation);
            Assert.InRange(CountStored(), 100, nodes.Count - 100);
            StoreInvariants.Check(_collector.DataDirectory);
            if (!isOnOneStream)
                (stream, requests) = Announce(roots);
        }

        Serve(stream, requests, nodes, out var isAcknowledged);

        Assert.True(isAcknowledged);
        AssertWhole();
        Assert.Equal(Entries, _collector.Store.Read(transaction => TreeReader.Entries(transaction.Nodes, roots.File).Count()));
        ForgetTwice();
        StoreInvariants.Check(_collector.DataDirectory);
        Assert.Equal(CountReachable(), CountStored());
    }

    [Fact]
    public void Forget_OldNodesBelowYoungOnes_GoTogetherWithThem()
    {
        // One version is superseded long ago: nothing but nodes of an unfinished head refers to what it had.
        var tree = FileTree.OfSize(3_000);
        ReportLongAgo(tree);
        tree["/srv/5/5"] = Some.File("changed");
        var (roots, nodes) = tree.Build();
        _retention.Forget(Cancellation);
        Store(nodes.Values);

        _retention.Forget(Cancellation);
        var entries = _collector.Store.Read(transaction => TreeReader.Entries(transaction.Nodes, roots.File).Count());
        _retention.Forget(Cancellation);

        Assert.Equal(3_000, entries);
        Assert.Equal(CountReachable(), CountStored());
    }

    [Fact]
    public void Forget_YoungNodeThatLacksAChild_KeepsNothingOfOthers()
    {
        ReportLongAgo(FileTree.OfSize(3_000));
        var old = CountStored();
        _retention.Forget(Cancellation);
        Store(Strange().Build().Nodes.Values);
        var young = CountStored() - old;
        _collector.Alter("DELETE FROM nodes WHERE id = (SELECT MAX(id) FROM nodes WHERE level = 0)");

        _retention.Forget(Cancellation);
        var afterOne = CountStored();
        _retention.Forget(Cancellation);

        Assert.Equal(CountReachable() + young - 1, afterOne);
        Assert.Equal(CountReachable(), CountStored());
    }

    [Fact]
    public void Forget_HeadThatLacksANode_RemovesNothing()
    {
        ReportLongAgo(FileTree.OfSize(3_000));
        _retention.Forget(Cancellation);
        Assert.NotNull(new FakeAgent(_collector.NewStream()).Hello().Report(Strange()));
        _collector.Alter("DELETE FROM nodes WHERE id = (SELECT MAX(id) FROM nodes WHERE level = 0 AND entries > 0)");
        var before = CountStored();

        ForgetTwice();

        Assert.Equal(before, CountStored());
    }

    [Fact]
    public async Task Forget_WhileTheSameNodesComeAgainAndAgain_LeavesNoneWithoutItsChildren()
    {
        // All of the store, so that ids are given again and again.
        var nodes = FileTree.OfSize(5_000).Build().Nodes.Values.ToList();
        using var done = new CancellationTokenSource();
        var forgetting = Task.Run(
            () =>
            {
                while (!done.IsCancellationRequested)
                    _retention.Forget(Cancellation);
            },
            Cancellation);
        var random = new Random(1);
        for (var i = 0; i < 400; i++)
        {
            var some = nodes.Take(random.Next(nodes.Count));
            foreach (var chunk in some.Chunk(40))
            {
                if (!TryStore(chunk))
                    break;
            }

            if (i % 10 == 0)
                StoreInvariants.Check(_collector.DataDirectory);
        }

        await done.CancelAsync();
        await forgetting;
        StoreInvariants.Check(_collector.DataDirectory);

        bool TryStore(IEnumerable<byte[]> chunk)
        {
            try
            {
                Store(chunk);
                return true;
            }
            catch (NodeMissingException)
            {
                return false;
            }
        }
    }

    [Fact]
    public void Forget_ScopesThatNothingHas_AreRemovedAndNoOthers()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();
        agent.Report(FileTree.OfSize(1), sequence: 1, coverage: Some.Coverage with { Scope = ScopeOf("baseline") });
        _collector.Certify("i-1");
        agent.Report(FileTree.OfSize(2), sequence: 2, coverage: Some.Coverage with { Scope = ScopeOf("gone") });
        _collector.Time.Advance(TimeSpan.FromDays(1));
        agent.Report(FileTree.OfSize(3), sequence: 3, coverage: Some.Coverage with { Scope = ScopeOf("now") });
        Assert.Equal([true, true, true], Stored());

        _collector.Time.Advance(TimeSpan.FromDays(401));
        _retention.Forget(Cancellation);

        Assert.Equal([true, false, true], Stored());
        Assert.Equal(ScopeOf("now").Digest, _collector.Store.Read(transaction => transaction.Heads.Newest("i-1"))!.Coverage.Scope.Digest);

        IEnumerable<bool> Stored() => _collector.Store.Read(transaction =>
            new[] { "baseline", "gone", "now" }.Select(name => transaction.Scopes.Find(ScopeOf(name).Digest) is not null).ToList());
    }

    private static Scope ScopeOf(string name) => new([EntryKey.Of(name)], []);

    private void ForgetTwice()
    {
        _retention.Forget(Cancellation);
        _retention.Forget(Cancellation);
    }
}
