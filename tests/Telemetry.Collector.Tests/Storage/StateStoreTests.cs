using Telemetry.Collector.Storage;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Storage;

public sealed class StateStoreTests
{
    [Fact]
    public void Open_FileThatIsNoStore_NamesItAndTheRemedy()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder["state.db"], new string('x', 10_000));

        var refusal = Assert.Throws<StoreException>(() => StateStore.Open(folder.Path));

        Assert.Contains("state.db", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("restore a copy", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ThatFails_LeavesNoTrace()
    {
        using var collector = new Collector();

        Assert.Throws<InvalidOperationException>(() => collector.Store.Write(transaction =>
        {
            transaction.Instances.Put(Some.Instance());
            throw new InvalidOperationException();
        }));

        Assert.Empty(collector.Store.Read(transaction => transaction.Instances.All()));
    }

    [Fact]
    public void CollectorId_OverRestarts_StaysTheSame()
    {
        using var collector = new Collector();
        var id = collector.Store.Read(transaction => transaction.Events.CollectorId());

        collector.Restart();

        Assert.Equal(id, collector.Store.Read(transaction => transaction.Events.CollectorId()));
        Assert.Equal(32, id.Length);
    }
}
