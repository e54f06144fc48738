using Dapper;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Storage;

public sealed class NodeSweepTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly HistoryRetention _retention;

    public NodeSweepTests() => _retention = new HistoryRetention(
        _collector.Store, new StoreOptions(TimeSpan.FromDays(400)), _collector.Time, NullLogger<HistoryRetention>.Instance);

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
        Alter("UPDATE nodes SET id = id + 5000000000");
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
                    var agent = new FakeAgent(_collector.NewStream(), $"i-{number}").Hello();
                    Assert.NotNull(agent.Report(trees[random.Next(trees.Count)], sequence));
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

    /// <summary>As years of changes would.</summary>
    private void Alter(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_collector.DataDirectory, "state.db")}");
        connection.Execute(sql);
    }

    private List<ulong> Sequences(string instanceId) =>
        _collector.Store.Read(transaction => transaction.Heads.Backwards(instanceId).Select(head => head.Position.Sequence).ToList());

    /// <summary>Present means complete: each node is what its digest says, and its children are there.</summary>
    private void AssertWhole() => _collector.Store.Read(transaction =>
    {
        var seen = new HashSet<Digest>();
        foreach (var root in Roots(transaction))
            Visit(root);

        void Visit(Digest digest)
        {
            if (!seen.Add(digest))
                return;
            var bytes = transaction.Nodes.Read(digest);
            Assert.Equal(digest, TreeNode.DigestOf(bytes.Span));
            var node = TreeNode.Decode(bytes);
            for (var i = 0; i < node.Count && !node.IsLeaf; i++)
                Visit(node.Child(i));
        }
    });

    private long CountReachable() => _collector.Store.Read(transaction =>
    {
        var seen = new HashSet<Digest>();
        var open = new Stack<Digest>(Roots(transaction));
        while (open.TryPop(out var digest))
        {
            if (!seen.Add(digest))
                continue;
            var node = TreeNode.Decode(transaction.Nodes.Read(digest));
            for (var i = 0; i < node.Count && !node.IsLeaf; i++)
                open.Push(node.Child(i));
        }

        return seen.Count;
    });

    private long CountStored() => _collector.Store.Read(transaction => transaction.Nodes.Page(0, long.MaxValue, int.MaxValue).Count);

    private static IEnumerable<Digest> Roots(StoreTransaction transaction) =>
        transaction.Heads.RootsAfter(0, int.MaxValue).SelectMany(head => EntryKinds.All.Select(kind => head.Roots[kind]));

    private static void SendHalf(Telemetry.Collector.Ingest.AgentStream stream, Roots roots, IReadOnlyDictionary<Digest, byte[]> nodes) =>
        Serve(stream, new Queue<V1.ConnectResponse>(stream.Receive(FakeAgent.Head(roots))), nodes, out _, stopAfter: nodes.Count / 2);

    private static int Serve(
        Telemetry.Collector.Ingest.AgentStream stream,
        Queue<V1.ConnectResponse> responses,
        IReadOnlyDictionary<Digest, byte[]> nodes,
        out bool isAcknowledged,
        int stopAfter = int.MaxValue)
    {
        var sent = 0;
        isAcknowledged = false;
        while (responses.TryDequeue(out var response) && sent < stopAfter)
        {
            isAcknowledged |= response.Ack is not null;
            if (response.NodeRequest is not { } request)
                continue;

            var batch = new V1.NodeBatch();
            batch.Nodes.AddRange(request.Digests.Select(digest => Google.Protobuf.ByteString.CopyFrom(nodes[Protocol.Mapping.ManifestMapping.ToDigest(digest)])));
            sent += batch.Nodes.Count;
            foreach (var answer in stream.Receive(new V1.ConnectRequest { Nodes = batch }))
                responses.Enqueue(answer);
        }

        return sent;
    }
}
