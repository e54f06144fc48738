using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Tests.Storage;

public sealed class IdSetTests
{
    private static readonly long[] Ids = [0, 1, (1 << 20) - 1, 1 << 20, int.MaxValue, int.MaxValue + 1L, long.MaxValue];

    [Fact]
    public void Add_AnyId_IsThereOnce()
    {
        var ids = new IdSet();

        Assert.All(Ids, id => Assert.True(ids.Add(id)));
        Assert.All(Ids, id => Assert.False(ids.Add(id)));
        Assert.All(Ids, id => Assert.True(ids.Has(id)));
    }

    [Fact]
    public void Has_IdBesideOthers_IsNotThere()
    {
        var ids = new IdSet();
        ids.Add(1 << 20);

        Assert.False(ids.Has((1 << 20) - 1));
        Assert.False(ids.Has((1 << 20) + 1));
        Assert.False(ids.Has(0));
    }
}
