using Google.Protobuf;
using Telemetry.Collector.Ingest;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests;

/// <summary>An agent in memory: says hello, announces trees and answers requests for their nodes.</summary>
internal sealed class FakeAgent(AgentStream stream, string instanceId = "i-1")
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public int NodesSent { get; private set; }

    public V1.Welcome Welcome { get; private set; } = new();

    public FakeAgent Hello(
        DateTimeOffset? at = null, string bootId = "", DateTimeOffset? bootedAt = null, TimeSpan? sampling = null, HeadPosition acked = default, string root = "", params IReadOnlyList<(string Key, string Value)> tags)
    {
        var hello = new V1.Hello { InstanceId = instanceId, Name = "web-1", AgentVersion = "0.1.0", SentAt = at?.ToTimestamp(), BootId = bootId, BootedAt = bootedAt?.ToTimestamp(), AckedEpoch = acked.Epoch, AckedSequence = acked.Sequence, Root = root };
        if (sampling is { } interval)
            hello.SampleInterval = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(interval);
        hello.NodeFormats.Add(TreeNode.Format);
        foreach (var (key, value) in tags)
            hello.Tags.Add(key, value);
        Welcome = stream.Welcome(hello).Welcome;
        return this;
    }

    /// <summary>Announces a tree and serves it until the collector acknowledges.</summary>
    /// <param name="at">When it was observed.</param>
    public V1.Ack? Report(FileTree tree, ulong sequence = 1, ulong epoch = 1, Coverage? coverage = null, DateTimeOffset? at = null)
    {
        var (roots, nodes) = tree.Build();
        var head = Head(roots, sequence, epoch, coverage);
        if (at is { } observed)
        {
            head.Head.ObservedAt = observed.ToTimestamp();
            head.Head.ObservedAfter = observed.AddSeconds(-10).ToTimestamp();
        }

        return Serve(stream.Receive(head), nodes);
    }

    /// <summary>Says who made changes.</summary>
    public FakeAgent Tell(V1.ChangeBatch batch)
    {
        stream.Receive(new V1.ConnectRequest { Changes = batch });
        return this;
    }

    /// <summary>Delivers a sample of one point, or as mere evidence without any.</summary>
    public V1.Ack Sample(DateTimeOffset at, ulong sequence, ulong epoch = 1, bool hasPoint = true)
    {
        var batch = new V1.HealthBatch { Epoch = epoch, Sequence = sequence };
        if (hasPoint)
        {
            batch.Points.Add(new V1.Point { Measurement = "mem", Time = at.ToTimestamp(), Fields = { new V1.Field { Name = "total", IntValue = 1 } } });
            batch.Collected = sequence;
        }
        else
        {
            batch.Time = at.ToTimestamp();
        }

        // Metrics are acknowledged when they are stored, and nothing else waits for that.
        V1.Ack? ack = null;
        foreach (var response in stream.Receive(new V1.ConnectRequest { Health = batch }))
            ack = response.Ack;
        return ack is not null || SpinWait.SpinUntil(() => (ack = stream.Pending().Select(response => response.Ack).LastOrDefault()) is not null, Patience)
            ? ack!
            : throw new TimeoutException($"sample {sequence} was not acknowledged");
    }

    public FakeAgent Beat(DateTimeOffset at)
    {
        stream.Receive(new V1.ConnectRequest { Heartbeat = new V1.Heartbeat { SentAt = at.ToTimestamp() } });
        return this;
    }

    public static V1.ConnectRequest Head(Roots roots, ulong sequence = 1, ulong epoch = 1, Coverage? coverage = null) => new()
    {
        Head = new V1.Head
        {
            Epoch = epoch,
            Sequence = sequence,
            Roots = roots.ToMessage(),
            Coverage = (coverage ?? Some.Coverage).ToMessage(),
            ObservedAt = Some.Time.ToTimestamp(),
            ObservedAfter = Some.Time.AddSeconds(-10).ToTimestamp(),
        },
    };

    private V1.Ack? Serve(IEnumerable<V1.ConnectResponse> responses, IReadOnlyDictionary<Digest, byte[]> nodes)
    {
        var queue = new Queue<V1.ConnectResponse>(responses);
        while (queue.TryDequeue(out var response))
        {
            if (response.Ack is { } ack)
                return ack;
            if (response.NodeRequest is not { } request)
                continue;

            var batch = new V1.NodeBatch();
            batch.Nodes.AddRange(request.Digests.Select(digest => ByteString.CopyFrom(nodes[digest.ToDigest()])));
            NodesSent += batch.Nodes.Count;
            foreach (var answer in stream.Receive(new V1.ConnectRequest { Nodes = batch }))
                queue.Enqueue(answer);
        }

        return null;
    }
}
