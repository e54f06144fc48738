using Telemetry.Collector.Ingest;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class MessageRoomTests
{
    private readonly MessageRoom _room = new() { MaxBytes = 100 };

    [Fact]
    public void FullRoom_WhoComes_WaitsInOrder()
    {
        var first = _room.EnterAsync(60);
        var second = _room.EnterAsync(60);
        var third = _room.EnterAsync(10);
        Assert.Equal([true, false, false], [first.IsCompleted, second.IsCompleted, third.IsCompleted]);
        Assert.Equal((60, 2), (_room.Bytes, _room.Waiting));

        _room.Leave(60);

        Assert.Equal([true, true], [second.IsCompleted, third.IsCompleted]);
        Assert.Equal((70, 0), (_room.Bytes, _room.Waiting));
    }

    [Fact]
    public void MessageLongerThanAllRoom_HasItAlone()
    {
        var small = _room.EnterAsync(1);
        var large = _room.EnterAsync(200);
        Assert.False(large.IsCompleted);

        _room.Leave(1);

        Assert.True(small.IsCompleted && large.IsCompleted);
        Assert.False(_room.EnterAsync(1).IsCompleted);
    }
}
