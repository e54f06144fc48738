using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Storage;

public sealed class NodeCacheTests
{
    [Theory]
    [InlineData(20, 10_000, false)]
    [InlineData(EntryKey.MaxLength, 3_000, false)]
    [InlineData(EntryKey.MaxLength, 4_500, true)]
    public void Nodes_BeyondABoundInBytes_AreForgotten(int keyLength, int nodes, bool areForgotten)
    {
        var cache = new NodeCache();
        var era = cache.Between(sweeps: 1)!;

        for (var i = 0; i < nodes; i++)
            era.Add(new StoredNode(new NodeSummary(Digest.Of(BitConverter.GetBytes(i)), 0, new byte[keyLength], new byte[keyLength], false, 1), false));

        Assert.Equal(areForgotten, cache.Between(sweeps: 1) != era);
    }

    [Fact]
    public void Reader_OfAnOlderState_FindsNothing()
    {
        var cache = new NodeCache();
        cache.Between(sweeps: 2);

        Assert.Null(cache.Between(sweeps: 1));
        Assert.NotNull(cache.Between(sweeps: 3));
    }
}
