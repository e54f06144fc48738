using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Ingest;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class AssemblyRoomTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(Some.Time);
    private readonly AssemblyRoom _room;
    private readonly List<string> _revoked = [];

    public AssemblyRoomTests() => _room = new AssemblyRoom(_time) { MaxBytes = 1_000 };

    public void Dispose() => _room.Dispose();

    [Fact]
    public void FullRoom_WhoHoldsMost_GivesWay()
    {
        using var large = Share("large", 600);
        using var middle = Share("middle", 300);
        using var small = Share("small", 0);

        small.Hold(200);

        Assert.Equal(["large"], _revoked);
        Assert.Throws<OverloadedException>(large.Check);
        Assert.Throws<OverloadedException>(() => large.Hold(1));
        Assert.Equal(500, _room.Bytes);
        middle.Hold(500);
        Assert.Equal(["large"], _revoked);
    }

    [Fact]
    public void FullRoom_WhoWouldHoldMost_IsRefusedAndNobodyGivesWay()
    {
        using var first = Share("first", 500);
        using var second = Share("second", 500);

        Assert.Throws<OverloadedException>(() => second.Hold(1));

        Assert.Empty(_revoked);
        second.Check();
        Assert.Equal(1_000, _room.Bytes);
    }

    [Fact]
    public void Share_ThatEnds_LeavesNothing()
    {
        var revoked = Share("revoked", 900);
        var other = Share("other", 200);
        revoked.Release(100);

        other.Dispose();
        revoked.Dispose();
        revoked.Dispose();

        Assert.Equal(0, _room.Bytes);
    }

    [Fact]
    public async Task Turn_OfWhoBringsNothing_IsSoonAnothers()
    {
        var holders = Enumerable.Range(0, 4).Select(_ => _room.Queue(() => { })).ToList();
        using var next = _room.Queue(() => { });
        Assert.All(holders, holder => Assert.True(holder.HasCome));
        Assert.False(next.HasCome);

        _time.Advance(TimeSpan.FromSeconds(5));

        await Eventually.True(() => next.HasCome, "the turn", TestContext.Current.CancellationToken);
        holders.ForEach(holder => holder.Dispose());
    }

    private AssemblyRoom.Share Share(string name, int bytes)
    {
        var share = _room.Open(() => _revoked.Add(name));
        share.Hold(bytes);
        return share;
    }
}
