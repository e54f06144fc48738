using Telemetry.Agent.Uplink;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Uplink;

public sealed class NodeOutboxTests
{
    private readonly Dictionary<Digest, byte[]> _nodes = [];

    [Fact]
    public void Next_MoreThanTheWindow_StopsUntilSomeWasTaken()
    {
        var outbox = Outbox(out var digests, count: 100, length: 10_000);
        outbox.Request(digests);

        var sent = Drain(outbox);
        Assert.InRange(sent, NodeOutbox.Window - 10_000, NodeOutbox.Window);

        outbox.Taken((ulong)sent);
        Assert.Equal(sent, Drain(outbox));
    }

    [Fact]
    public void Next_Batches_StayBelowSixtyFourKilobytes()
    {
        var outbox = Outbox(out var digests, count: 20, length: 10_000);
        outbox.Request(digests);

        while (outbox.Next() is { } batch)
            Assert.InRange(batch.CalculateSize(), 1, 66_000);
    }

    [Fact]
    public void Next_PushedAndRequested_SendsThePushedFirst()
    {
        var outbox = Outbox(out var digests, count: 1, length: 10);
        outbox.Push([[1, 2, 3]]);
        outbox.Request(digests);

        var batch = outbox.Next()!;

        Assert.Equal([3, 10], batch.Nodes.Select(node => node.Length));
    }

    [Fact]
    public void Next_NodeThatIsGone_IsSaidToBeUnavailable()
    {
        var outbox = Outbox(out var digests, count: 2, length: 10);
        _nodes.Remove(digests[0]);
        outbox.Request(digests);

        var batch = outbox.Next()!;

        Assert.Equal(digests[0].ToArray(), Assert.Single(batch.Unavailable).ToByteArray());
        Assert.Single(batch.Nodes);
        Assert.Null(outbox.Next());
    }

    [Fact]
    public void Request_MoreThanAHeadCanHave_IsRefused()
    {
        var outbox = Outbox(out _, count: 0, length: 0);

        Assert.False(outbox.Request(Enumerable.Repeat(Digest.Of([1]), 100_001)));
    }

    private NodeOutbox Outbox(out List<Digest> digests, int count, int length)
    {
        digests = [];
        for (var i = 0; i < count; i++)
        {
            var node = new byte[length];
            BitConverter.TryWriteBytes(node, i);
            digests.Add(Digest.Of(node));
            _nodes[digests[^1]] = node;
        }

        return new NodeOutbox(_nodes.GetValueOrDefault);
    }

    private static long Drain(NodeOutbox outbox)
    {
        var sent = 0L;
        while (outbox.Next() is { } batch)
            sent += batch.Nodes.Sum(node => node.Length);
        return sent;
    }
}
