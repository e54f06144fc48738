using Google.Protobuf;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Storage;

/// <summary>How trees come to the store, whole or in parts, and what is left of them.</summary>
public sealed partial class NodeSweepTests
{
    /// <summary>What an instance was, for so long not any more that it is forgotten.</summary>
    private void ReportLongAgo(FileTree tree)
    {
        var agent = new FakeAgent(_collector.NewStream(), "i-old").Hello();
        Assert.NotNull(agent.Report(tree));
        _collector.Time.Advance(TimeSpan.FromDays(1));
        Assert.NotNull(agent.Report(FileTree.OfSize(1), sequence: 2));
        _collector.Time.Advance(TimeSpan.FromDays(401));
    }

    /// <summary>Has no node that others have.</summary>
    private static FileTree Strange()
    {
        var tree = new FileTree();
        for (var i = 0; i < 1_000; i++)
            tree[$"/strange/{i}"] = Some.File($"strange {i}");
        return tree;
    }

    /// <summary>Stores nodes as part of a head that is not complete.</summary>
    /// <param name="nodes">Children before parents.</param>
    private void Store(IEnumerable<byte[]> nodes) => _collector.Store.Write(transaction => transaction.Nodes.Add(CreatedNodes.ToStore(
        nodes.Select(bytes => new EncodedNode(TreeNode.DigestOf(bytes), 0, 0, [], bytes)), transaction.Nodes)));

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

    private static void SendHalf(AgentStream stream, Roots roots, IReadOnlyDictionary<Digest, byte[]> nodes) =>
        Serve(stream, new Queue<V1.ConnectResponse>(stream.Receive(FakeAgent.Head(roots))), nodes, out _, stopAfter: nodes.Count / 2);

    private (AgentStream Stream, Queue<V1.ConnectResponse> Requests) Announce(Roots roots)
    {
        var stream = _collector.NewStream();
        new FakeAgent(stream).Hello();
        return (stream, new Queue<V1.ConnectResponse>(stream.Receive(FakeAgent.Head(roots))));
    }

    private static int Serve(
        AgentStream stream,
        Queue<V1.ConnectResponse> responses,
        IReadOnlyDictionary<Digest, byte[]> nodes,
        out bool isAcknowledged,
        int stopAfter = int.MaxValue)
    {
        var sent = 0;
        isAcknowledged = false;
        while (sent < stopAfter && responses.TryDequeue(out var response))
        {
            isAcknowledged |= response.Ack is not null;
            if (response.NodeRequest is not { } request)
                continue;

            var batch = new V1.NodeBatch();
            batch.Nodes.AddRange(request.Digests.Select(digest => ByteString.CopyFrom(nodes[ManifestMapping.ToDigest(digest)])));
            sent += batch.Nodes.Count;
            foreach (var answer in stream.Receive(new V1.ConnectRequest { Nodes = batch }))
                responses.Enqueue(answer);
        }

        return sent;
    }
}
