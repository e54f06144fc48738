using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Health;

namespace Telemetry.Agent.Tests.Health;

public sealed class HealthQueueTests
{
    private static readonly DateTimeOffset Time = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(Time);

    [Fact]
    public void Begin_AfterADisconnect_SendsAgainWhatWasNotAcknowledged()
    {
        var queue = Queue(samples: 3);
        queue.Begin(isWanted: true, 0, 0);
        var epoch = queue.Next()!.Value.Epoch;
        queue.Next();
        queue.Acked(epoch, 1);

        queue.Begin(isWanted: true, epoch, 1);

        Assert.Equal([2u, 3u], Sequences(queue));
    }

    [Fact]
    public void Add_Full_DropsTheOldestAndCountsIt()
    {
        var queue = Queue(samples: 12, capacity: 10);

        queue.Begin(isWanted: true, 0, 0);

        Assert.Equal(2, queue.Dropped);
        Assert.Equal(10, Sequences(queue).Count);
    }

    [Fact]
    public void Begin_CollectorWithAHigherEpoch_CountsAnewAboveIt()
    {
        var queue = Queue(samples: 2);

        queue.Begin(isWanted: true, ulong.MaxValue - 1, 100);

        Assert.Equal((ulong.MaxValue, 1u), (queue.Next()!.Value.Epoch, 1u));
    }

    [Fact]
    public void Next_IntervalOfTenSeconds_IsAWholeMultiple()
    {
        Assert.Equal(Time + TimeSpan.FromSeconds(10), HealthLoop.Next(Time + TimeSpan.FromSeconds(3.2), TimeSpan.FromSeconds(10)));
        Assert.Equal(Time + TimeSpan.FromSeconds(10), HealthLoop.Next(Time, TimeSpan.FromSeconds(10)));
    }

    private HealthQueue Queue(int samples, int capacity = 360)
    {
        var queue = new HealthQueue(_clock, capacity);
        for (var i = 0; i < samples; i++)
            queue.Add(new HealthSample(Time, []));
        return queue;
    }

    private static List<ulong> Sequences(HealthQueue queue)
    {
        var sequences = new List<ulong>();
        while (queue.Next() is { } next)
            sequences.Add(next.Sequence);
        return sequences;
    }
}
