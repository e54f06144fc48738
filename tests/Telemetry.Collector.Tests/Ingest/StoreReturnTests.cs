using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>A store that was put back to an older copy.</summary>
public sealed class StoreReturnTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Hello_WithAnAckTheStoreDoesNotHave_MakesNoNumberComeAgain()
    {
        var tree = Deviating(out var agent);
        _collector.Time.Advance(TimeSpan.FromMinutes(1));

        var back = new FakeAgent(_collector.NewStream()).Hello(acked: new HeadPosition(1, 9));
        tree["/srv/0/2"] = Some.File("later");
        back.Report(tree, sequence: 3);

        var floor = _collector.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal([1, floor + 1], _collector.Deviations().Select(deviation => deviation.Id));
        Assert.Equal([1, floor + 1], _collector.Events().Select(stored => stored.Position));
        Assert.All(_collector.Deviations(), deviation => Assert.True(deviation.CauseId is 1 || deviation.CauseId > floor));
        var instance = _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!;
        Assert.Equal((1, _collector.Time.GetUtcNow()), (instance.Returns, instance.ReturnedAt));
        Assert.Equal([false, true, true, false], ((long[])[1, 2, floor, floor + 1]).Select(position => _collector.Store.Read(transaction => transaction.Collector.IsOfLostStore(position))));
    }

    [Fact]
    public void Hello_OfManyWithSuchAcks_JumpsOnceUntilTheNextStart()
    {
        Deviating(out _);
        _collector.Time.Advance(TimeSpan.FromMinutes(1));
        var first = _collector.Store.Write(transaction => transaction.Collector.Returned(_collector.Time.GetUtcNow()));
        var second = _collector.Store.Write(transaction => transaction.Collector.Returned(_collector.Time.GetUtcNow().AddSeconds(1)));

        _collector.Store.Write(transaction => transaction.Collector.Started());
        var third = _collector.Store.Write(transaction => transaction.Collector.Returned(_collector.Time.GetUtcNow().AddSeconds(2)));

        Assert.Equal((true, false, true), (first, second, third));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(-1_000)]
    public void Return_AfterTheClockWasSetBack_IsStillOneForEachStart_AndNoNumberComesAgain(int days)
    {
        Deviating(out _);
        var (first, floor) = (Returned(0), Floor());
        _collector.Store.Write(transaction => transaction.Collector.Started());

        var (second, again) = (Returned(days), Returned(days - 1));

        Assert.Equal((true, true, false), (first, second, again));
        Assert.InRange(Floor(), floor + 1_000_000_000, long.MaxValue);
    }

    private bool Returned(int days) => _collector.Store.Write(transaction => transaction.Collector.Returned(_collector.Time.GetUtcNow().AddDays(days)));

    private long Floor() => _collector.Scalar("SELECT id_floor FROM collector");

    [Theory]
    [InlineData(1, 2)]   // what the store has
    [InlineData(1, 1)]
    [InlineData(0, 0)]   // an older agent
    public void Hello_WithAnAckTheStoreHas_ChangesNothing(ulong epoch, ulong sequence)
    {
        var tree = Deviating(out _);

        new FakeAgent(_collector.NewStream()).Hello(acked: new HeadPosition(epoch, sequence));
        tree["/srv/0/2"] = Some.File("later");
        new FakeAgent(_collector.NewStream()).Hello().Report(tree, sequence: 3);

        Assert.Equal([1L, 2L], _collector.Deviations().Select(deviation => deviation.Id));
    }

    [Fact]
    public void Hello_OfAnInstanceThatTheStoreNeverKnew_ChangesNothing()
    {
        Deviating(out _);

        new FakeAgent(_collector.NewStream(), "i-2").Hello(acked: new HeadPosition(1, 9));

        Assert.True(_collector.Store.Write(transaction => transaction.Collector.Returned(_collector.Time.GetUtcNow())));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_OnAStoreThatIsOlderThanTheCollector_MakesNoNumberComeAgain(bool isRestored)
    {
        Deviating(out _);
        await RunOnce();
        if (isRestored)
            _collector.Store.Write(transaction => transaction.Presence.Alive(_collector.Time.GetUtcNow().AddSeconds(-20)));
        _collector.Time.Advance(TimeSpan.FromHours(1));

        await RunOnce();

        Assert.Equal(isRestored, _collector.Store.Read(transaction => transaction.Collector.IsOfLostStore(2)));
    }

    private async Task RunOnce()
    {
        using var keeper = new PresenceKeeper(
            _collector.Store, new AliveFile(_collector.DataDirectory), _collector.NewDepartures(), _collector.Time, NullLogger<PresenceKeeper>.Instance);
        await keeper.StartAsync(TestContext.Current.CancellationToken);
        await Telemetry.Testing.Eventually.True(
            () => new AliveFile(_collector.DataDirectory).Read() == _collector.Time.GetUtcNow(), "the file", TestContext.Current.CancellationToken);
        await keeper.StopAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>An instance with one deviation.</summary>
    private FileTree Deviating(out FakeAgent agent)
    {
        var tree = FileTree.OfSize(10);
        agent = new FakeAgent(_collector.NewStream()).Hello();
        agent.Report(tree, sequence: 1);
        _collector.Certify("i-1");
        tree["/srv/0/1"] = Some.File("tampered");
        agent.Report(tree, sequence: 2);
        Assert.Single(_collector.Deviations());
        return tree;
    }
}
