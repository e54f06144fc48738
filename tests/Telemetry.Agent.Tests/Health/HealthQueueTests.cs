using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Health;
using Telemetry.Agent.Tests.Spool;

namespace Telemetry.Agent.Tests.Health;

public sealed class HealthQueueTests : IDisposable
{
    private static readonly DateTimeOffset Time = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Spools _spools = new();

    public void Dispose() => _spools.Dispose();

    [Fact]
    public void Begin_AfterADisconnect_SendsAgainWhatWasNotAcknowledged()
    {
        var queue = Queue(samples: 3);
        queue.Begin(isWanted: true, 0, 0);
        var epoch = queue.Next()!.Position.Epoch;
        queue.Next();
        queue.Acked(epoch, 1);

        queue.Begin(isWanted: true, epoch, 1);

        Assert.Equal([2u, 3u], Sequences(queue));
    }

    [Fact]
    public void Begin_AfterAKill_SendsWhatTheCollectorLacks()
    {
        var first = Queue(samples: 3);
        var epoch = first.Next()!.Position.Epoch;

        var restarted = Queue(samples: 1);
        restarted.Begin(isWanted: true, epoch, 1);

        Assert.Equal([2u, 3u, 1u], Sequences(restarted));
    }

    [Fact]
    public void Begin_CollectorWithAHigherEpoch_CountsAnewAboveIt()
    {
        var queue = Queue(samples: 2);

        queue.Begin(isWanted: true, ulong.MaxValue - 1, 100);

        Assert.Equal((ulong.MaxValue, 1u), (queue.Next()!.Position.Epoch, 1u));
    }

    [Fact]
    public void Begin_CollectorThatHasMoreThanWe_CountsAnew()
    {
        var queue = Queue(samples: 2);
        var epoch = queue.Next()!.Position.Epoch;

        queue.Begin(isWanted: true, epoch, 7);

        Assert.Equal([(epoch + 1, 1u), (epoch + 1, 2u)], [(queue.Next()!.Position.Epoch, 1u), (queue.Next()!.Position.Epoch, 2u)]);
    }

    [Fact]
    public void Begin_NotWanted_KeepsNothing()
    {
        var queue = Queue(samples: 2);

        queue.Begin(isWanted: false, 0, 0);

        Assert.Null(queue.Next());
    }

    [Fact]
    public void Begin_OnlyPresenceWanted_KeepsWhatWaitsAndRemembersItThroughAKill()
    {
        var queue = Queue(samples: 2);

        queue.Begin(isWanted: false, 0, 0, isPresenceWanted: true);

        Assert.Equal([1u, 2u], Sequences(queue));
        Assert.Equal((false, true), (Queue(0).IsWanted, Queue(0).IsPresenceWanted));
    }

    [Fact]
    public void Next_OfThousandsThatWait_GivesFewUntilTheyAreAcknowledged()
    {
        var queue = Queue(samples: 3_000);
        queue.Begin(isWanted: true, 0, 0);
        var epoch = queue.Next()!.Position.Epoch;

        var atFirst = Sequences(queue);
        queue.Acked(epoch, 10);
        var then = Sequences(queue);
        queue.Begin(isWanted: true, epoch, 10);
        var onAnotherStream = Sequences(queue);

        Assert.Equal(15, atFirst.Count);
        Assert.Equal(Enumerable.Range(17, 10).Select(sequence => (ulong)sequence), then);
        Assert.Equal(Enumerable.Range(11, 16).Select(sequence => (ulong)sequence), onAnotherStream);
    }

    [Fact]
    public void Next_OfBigSamples_IsLimitedInBytesAndGoesOnOneByOne()
    {
        var queue = Queue(samples: 10, bytes: 40_000);
        queue.Begin(isWanted: true, 0, 0);

        var atFirst = Sequences(queue);
        queue.Acked(ulong.MaxValue, 0);

        Assert.Equal([1u, 2u], atFirst);
        Assert.Equal([3u, 4u], Sequences(queue));
    }

    [Fact]
    public void IsWanted_AfterAKill_IsWhatTheCollectorSaidLast()
    {
        Assert.False(Queue(0).IsWanted);
        Queue(0).Begin(isWanted: true, 0, 0);
        Assert.True(Queue(0).IsWanted);
        Assert.False(Queue(0, hasCollector: false).IsWanted);

        Queue(0).Begin(isWanted: false, 0, 0);

        Assert.False(Queue(0).IsWanted);
    }

    [Fact]
    public void Next_IntervalOfTenSeconds_IsAWholeMultiple()
    {
        Assert.Equal(Time + TimeSpan.FromSeconds(10), HealthLoop.Next(Time + TimeSpan.FromSeconds(3.2), TimeSpan.FromSeconds(10)));
        Assert.Equal(Time + TimeSpan.FromSeconds(10), HealthLoop.Next(Time, TimeSpan.FromSeconds(10)));
    }

    private HealthQueue Queue(int samples, bool hasCollector = true, int bytes = 1)
    {
        var queue = new HealthQueue(
            _spools.Open().Health, _ => [new HealthPart(1, new byte[bytes])], hasCollector, NullLogger<HealthQueue>.Instance);
        for (var i = 0; i < samples; i++)
            queue.Add(new HealthSample(Time, [new HealthPoint("cpu", [])]));
        return queue;
    }

    private static List<ulong> Sequences(HealthQueue queue)
    {
        var sequences = new List<ulong>();
        while (queue.Next() is { } next)
            sequences.Add(next.Position.Sequence);
        return sequences;
    }
}
