using Google.Protobuf;
using Telemetry.Collector.Ingest;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>Heads that are not complete, and never will be: what they may hold, for how long, and at whose cost.</summary>
public sealed class UnfinishedHeadTests : IDisposable
{
    private static readonly V1.ConnectRequest Heartbeat = new() { Heartbeat = new V1.Heartbeat() };

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void HostileStreams_ThatFillTheRoom_StarveNobodyAndEnd()
    {
        using var room = new AssemblyRoom(_collector.Time) { MaxBytes = 20 * 1024 * 1024 };
        var hostile = Enumerable.Range(0, 20).Select(i =>
        {
            var stream = _collector.NewStream(room: room);
            new FakeAgent(stream, $"i-hostile-{i}").Hello();
            return stream;
        }).ToList();
        var ends = hostile.Select((stream, i) => Record.Exception(() => PushInVain(stream, i))).ToList();
        Assert.InRange(room.Bytes, room.MaxBytes / 2, room.MaxBytes);

        using var honest = _collector.NewStream(room: room);
        var agent = new FakeAgent(honest, "i-honest").Hello();
        var tree = FileTree.OfSize(5_000);
        Assert.NotNull(agent.Report(tree));
        tree["/srv/5/5"] = Some.File("changed");
        Assert.NotNull(agent.Report(tree, sequence: 2));

        // They go on saying that they live, and no more.
        for (var i = 0; i < 7; i++)
        {
            _collector.Time.Advance(TimeSpan.FromSeconds(10));
            ends = [.. ends.Zip(hostile, (end, stream) => end ?? Record.Exception(() => stream.Receive(Heartbeat)))];
            hostile.Zip(ends).Where(one => one.Second is not null).ToList().ForEach(one => one.First.Dispose());
        }

        Assert.All(ends, end => Assert.True(end is StalledHeadException or OverloadedException, $"{end}"));
        Assert.Contains(ends, end => end is StalledHeadException);
        Assert.Equal(0, room.Bytes);
        Assert.NotNull(agent.Report(tree, sequence: 3));
    }

    [Fact]
    public void Nodes_ThatNobodyAskedFor_AreRefusedLongBeforeThoseThatWere()
    {
        using var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();

        var end = Record.Exception(() => PushInVain(stream, 0, mebibytes: 9));

        Assert.IsType<BadMessageException>(end);
        Assert.InRange(_collector.Room.Bytes, 1, HeadAssembly.MaxUnaskedBytes + 100_000);
    }

    [Fact]
    public void Head_WhoseNodesComeSlowly_IsNotStalled()
    {
        using var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        var (roots, nodes) = FileTree.OfSize(500).Build();
        var open = new Queue<Digest>(Requested(stream.Receive(FakeAgent.Head(roots))));

        var acks = 0;
        while (open.TryDequeue(out var digest))
        {
            _collector.Time.Advance(TimeSpan.FromSeconds(50));
            Assert.Empty(stream.Receive(Heartbeat));
            var answers = stream.Receive(Batch(nodes[digest]));
            acks += answers.Count(answer => answer.Ack is not null);
            foreach (var next in Requested(answers))
                open.Enqueue(next);
        }

        Assert.Equal(1, acks);
        _collector.Time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(stream.Receive(Heartbeat));
    }

    [Fact]
    public void Node_ThatWaitsForItsChildren_IsChargedForWhatItUnfoldsTo()
    {
        // Keys that share nearly all of their 4 KiB: each is as long as the node in memory, and a few bytes on the wire.
        var nodes = new Dictionary<Digest, byte[]>();
        var builder = new TreeBuilder(node => nodes[node.Digest] = node.Bytes);
        for (var i = 0; i < 400; i++)
            builder.Append(EntryKey.Of(new string('a', 4_000) + $"{i:0000}"), Some.File("x"));
        var root = builder.Finish();
        var unfolded = TreeNode.Decode(nodes[root]);
        using var assembly = new HeadAssembly(Roots.Empty.With(EntryKind.File, root), _collector.Room);
        _collector.Store.Read(transaction => assembly.Advance(transaction.Nodes, isItsTurn: true));

        Assert.True(assembly.Take(nodes[root]));
        _collector.Store.Read(transaction => assembly.Advance(transaction.Nodes, isItsTurn: true));

        Assert.False(unfolded.IsLeaf);
        Assert.InRange(assembly.HeldBytes, unfolded.KeyBytes + nodes[root].Length, 2 * (unfolded.KeyBytes + nodes[root].Length));
        assembly.Dispose();
        Assert.Equal(0, _collector.Room.Bytes);
    }

    [Theory]
    [InlineData(long.MaxValue, 500)]
    [InlineData(300_000, int.MaxValue)]
    public void Tree_WithoutEnd_IsRefused(long bytes, int nodes)
    {
        using var room = new AssemblyRoom(_collector.Time) { MaxBrought = (bytes, nodes) };
        using var stream = _collector.NewStream(room: room);
        var agent = new FakeAgent(stream).Hello();

        Assert.Throws<BadMessageException>(() => agent.Report(FileTree.OfSize(20_000)));

        Assert.Null(_collector.Store.Read(transaction => transaction.Heads.Newest("i-1")));
        Assert.NotNull(new FakeAgent(_collector.NewStream(room: room), "i-2").Hello().Report(FileTree.OfSize(1_000)));
    }

    [Fact]
    public void Heads_ThatAreNeverCompleted_FillTheStoreOnlySoFar()
    {
        const int Most = 4 * 1024 * 1024;
        using var room = new AssemblyRoom(_collector.Time) { Staged = new StagedBytes(_collector.Time) { MaxBytes = Most } };

        var end = Record.Exception(() => BringInVain(room, heads: 20));
        var stored = StoredBytes();
        var again = Record.Exception(() => BringInVain(room, heads: 1, from: 20));

        Assert.IsType<OverloadedException>(end);
        Assert.IsType<OverloadedException>(again);
        Assert.InRange(stored, Most / 2, Most);
        Assert.Equal(stored, StoredBytes());
        Assert.NotNull(new FakeAgent(_collector.NewStream(room: room), "i-2").Hello().Report(FileTree.OfSize(20_000)));

        // What it brought has been swept by then.
        _collector.Time.Advance(TimeSpan.FromHours(3));
        BringInVain(room, heads: 1, from: 21);
    }

    [Fact]
    public void Head_ThatIsCompleted_TakesNothingOffWhatOthersBrought()
    {
        var staged = new StagedBytes(_collector.Time) { MaxBytes = 100 };
        staged.Add("i-1", 60);
        staged.Add("i-1", 40);

        staged.Completed("i-1", 40);
        staged.Completed("i-1", 0);

        staged.Add("i-1", 40);
        Assert.Throws<OverloadedException>(() => staged.Add("i-1", 1));
    }

    [Fact]
    public void Head_ThatIsCompleted_CountsForNothing()
    {
        using var room = new AssemblyRoom(_collector.Time) { Staged = new StagedBytes(_collector.Time) { MaxBytes = 4 * 1024 * 1024 } };
        var agent = new FakeAgent(_collector.NewStream(room: room)).Hello();
        for (var i = 1ul; i <= 4; i++)
            Assert.NotNull(agent.Report(Other((int)i), sequence: i));

        Assert.InRange(StoredBytes(), 5 * 1024 * 1024, long.MaxValue);
    }

    [Fact]
    public void Head_WhoseNodesAreSweptAgainAndAgain_EndsItsStream()
    {
        var tree = FileTree.OfSize(500);
        var shared = tree.Build().Nodes;
        Keep(1);
        tree["/srv/1/1"] = Some.File("other");
        var (roots, nodes) = tree.Build();
        using var stream = _collector.NewStream();
        new FakeAgent(stream, "i-2").Hello();
        var requested = Requested(stream.Receive(FakeAgent.Head(roots))).ToList();

        var anew = 0;
        var end = Record.Exception(() =>
        {
            for (; anew < 10; anew++)
            {
                // All but the leaf that only it has: it relies on the others.
                Digest? last = null;
                for (var open = new Queue<Digest>(requested); open.TryDequeue(out var digest);)
                {
                    if (!shared.ContainsKey(digest) && TreeNode.Decode(nodes[digest]).IsLeaf)
                        last = digest;
                    else
                        Requested(stream.Receive(Batch(nodes[digest]))).ToList().ForEach(open.Enqueue);
                }

                _collector.Alter("DELETE FROM nodes; UPDATE collector SET sweeps = sweeps + 1");
                requested = [.. Requested(stream.Receive(Batch(nodes[last!.Value])))];
                Keep((ulong)anew + 2);
            }
        });

        Assert.IsType<NodeMissingException>(end);
        Assert.Equal(3, anew);

        void Keep(ulong sequence) => Assert.NotNull(new FakeAgent(_collector.NewStream(), "i-1").Hello().Report(FileTree.OfSize(500), sequence));
    }

    /// <summary>All it takes grows more slowly than the tree, so what holds for a fifth holds for the whole.</summary>
    [Fact]
    public void Tree_OfAMillionEntries_FitsManyTimes()
    {
        var (roots, nodes) = FileTree.OfSize(200_000).Build();
        using var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        var open = new Queue<Digest>(Requested(stream.Receive(FakeAgent.Head(roots))));
        var (most, sent, isAcknowledged) = (0L, 0, false);
        while (open.Count > 0)
        {
            // As an agent's messages are: 64 KiB at a time.
            var batch = new V1.NodeBatch();
            for (var bytes = 0; bytes < 64 * 1024 && open.TryDequeue(out var digest); bytes += nodes[digest].Length)
                batch.Nodes.Add(UnsafeByteOperations.UnsafeWrap(nodes[digest]));
            sent += batch.Nodes.Count;
            var answers = stream.Receive(new V1.ConnectRequest { Nodes = batch });
            most = Math.Max(most, _collector.Room.Bytes);
            isAcknowledged |= answers.Any(answer => answer.Ack is not null);
            foreach (var next in Requested(answers))
                open.Enqueue(next);
        }

        Assert.True(isAcknowledged);
        Assert.InRange(most, 1, HeadAssembly.MaxHeldBytes / 5);
        Assert.InRange(5 * sent, 1, _collector.Room.MaxBrought.Nodes / 4);
        Assert.InRange(5 * nodes.Values.Sum(node => (long)node.Length), 1, _collector.Room.MaxBrought.Bytes / 3);
    }

    /// <summary>Announces that it pushes without end, and brings some of it.</summary>
    private static void PushInVain(AgentStream stream, int number, int mebibytes = 2)
    {
        var head = FakeAgent.Head(Roots.Empty.With(EntryKind.File, Digest.Of(BitConverter.GetBytes(number))));
        head.Head.Pushed = uint.MaxValue;
        stream.Receive(head);
        for (var i = 0; i < mebibytes * 16; i++)
            stream.Receive(Batch([.. BitConverter.GetBytes(number), .. BitConverter.GetBytes(i), .. new byte[64 * 1024]]));
    }

    /// <summary>Each on a stream of its own: brings most of a tree, and goes.</summary>
    private void BringInVain(AssemblyRoom room, int heads, int from = 0)
    {
        for (var i = from; i < from + heads; i++)
        {
            using var stream = _collector.NewStream(room: room);
            new FakeAgent(stream).Hello();
            var (roots, nodes) = Other(i).Build();
            var open = new Queue<Digest>(Requested(stream.Receive(FakeAgent.Head(roots))));
            for (var left = nodes.Count * 9 / 10; left > 0; left--)
            {
                foreach (var next in Requested(stream.Receive(Batch(nodes[open.Dequeue()]))))
                    open.Enqueue(next);
            }
        }
    }

    /// <summary>Of 3 MB, and none of it another's.</summary>
    private static FileTree Other(int number)
    {
        var tree = new FileTree();
        for (var i = 0; i < 60_000; i++)
            tree[$"/srv/{i}"] = Some.File($"{number} {i}");
        return tree;
    }

    private long StoredBytes() => _collector.Scalar("SELECT COALESCE(SUM(LENGTH(body)), 0) FROM nodes");

    private static V1.ConnectRequest Batch(byte[] node) =>
        new() { Nodes = new V1.NodeBatch { Nodes = { UnsafeByteOperations.UnsafeWrap(node) } } };

    private static IEnumerable<Digest> Requested(IEnumerable<V1.ConnectResponse> answers) =>
        answers.Where(answer => answer.NodeRequest is not null).SelectMany(answer => answer.NodeRequest.Digests).Select(digest => digest.ToDigest());
}
