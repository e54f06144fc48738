using Telemetry.Collector.Ingest;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>Metrics are stored in order, and nothing else waits for that.</summary>
public sealed class HealthLaneTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly HeldPoints _points = new();
    private readonly AgentStream _stream;
    private readonly FakeAgent _agent;
    private int _woken;

    public HealthLaneTests()
    {
        _stream = _collector.NewStream(_points);
        _agent = new FakeAgent(_stream).Hello();
        _stream.Wake = () => Interlocked.Increment(ref _woken);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _stream.Dispose();
        _points.Dispose();
        _collector.Dispose();
    }

    [Fact]
    public async Task Samples_ThatAreBeingStored_KeepNoHeadWaiting()
    {
        for (var i = 1ul; i <= 16; i++)
            Assert.Empty(_stream.Receive(Sample(i)));

        var ack = _agent.Report(FileTree.OfSize(10));

        Assert.NotNull(ack);
        Assert.Empty(Acked());
        await Release();
        Assert.Equal([1ul], Acked());
        await Release();
        Assert.Equal([16ul], Acked());
        Assert.Equal([1, 15], _points.Writes);
        Assert.Empty(Acked());
    }

    [Fact]
    public async Task Samples_BeyondWhatMayWait_WaitForTheStore()
    {
        for (var i = 1ul; i <= 33; i++)
            _stream.Receive(Sample(i));

        var more = _stream.ReceiveAsync(Sample(34)).ToListAsync(Cancellation).AsTask();
        Assert.False(more.IsCompleted);
        await Release();
        await more;

        await Release();
        Assert.Equal([34ul], Acked());
        Assert.Equal([1, 33], _points.Writes);
    }

    [Fact]
    public async Task Samples_ThatAreRedelivered_AreAcknowledgedOnceStoredAndNotStoredAgain()
    {
        _stream.Receive(Sample(1));
        Assert.Empty(_stream.Receive(Sample(1)));
        await Release();
        Assert.Equal([1ul], Acked());

        var again = _stream.Receive(Sample(1));

        Assert.Equal(1ul, Assert.Single(again).Ack.Sequence);
        Assert.Equal([1], _points.Writes);
    }

    [Fact]
    public async Task Samples_ThatTheDiskTakesNot_AreNotAcknowledgedAndEndTheStream()
    {
        _stream.Receive(Sample(1));
        _stream.Receive(Sample(2));

        _points.Fail();
        await Eventually.True(() => _woken > 0, "the stream to be woken", Cancellation);

        Assert.Throws<StoreException>(() => _stream.Pending());
        Assert.Equal([1], _points.Writes);
    }

    [Fact]
    public async Task Samples_ThatFillTheRoomForMessages_AreStoredThoughTheirStreamWaitsForIt()
    {
        var room = new MessageRoom { MaxBytes = 3 * Sample(1).CalculateSize() };
        using var stream = _collector.NewStream(_points, messages: room);
        new FakeAgent(stream, "i-2").Hello();
        for (var i = 1ul; i <= 3; i++)
            stream.Receive(Sample(i));

        var more = stream.ReceiveAsync(Sample(4)).ToListAsync(Cancellation).AsTask();
        Assert.False(more.IsCompleted);
        for (var i = 0; i < 4; i++)
            _points.Release();

        await more;
        await Eventually.True(() => _points.Writes.Sum() == 4, "the last write", Cancellation);
        await stream.LeaveAsync(_collector.NewDepartures(), Some.Time);
        Assert.Equal(0, room.Bytes);
    }

    private async Task Release()
    {
        var before = _woken;
        _points.Release();
        await Eventually.True(() => _woken > before, "the stream to be woken", Cancellation);
    }

    private List<ulong> Acked() => [.. _stream.Pending().Where(response => response.Ack?.Lane == V1.Lane.Health).Select(response => response.Ack.Sequence)];

    private static V1.ConnectRequest Sample(ulong sequence)
    {
        var point = new V1.Point { Measurement = "mem", Time = Some.Time.ToTimestamp() };
        point.Fields.Add(new V1.Field { Name = "used", IntValue = 1 });
        return new V1.ConnectRequest { Health = new V1.HealthBatch { Epoch = 1, Sequence = sequence, Points = { point } } };
    }
}
