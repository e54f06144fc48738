using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Tests.Ingest;

public sealed class ClockOffsetTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData(-3600)]
    [InlineData(7)]
    public void Head_OfAnAgentWhoseClockIsOff_IsKeptByTheCollectorsClock(int ahead)
    {
        // Its heads are observed at Some.Time, whatever its clock says at the hello.
        new FakeAgent(_collector.NewStream()).Hello(at: Some.Time.AddSeconds(ahead)).Report(FileTree.OfSize(10));

        var head = _collector.Store.Read(transaction => transaction.Heads.Newest("i-1"))!;
        Assert.Equal((Some.Time.AddSeconds(-ahead), Some.Time.AddSeconds(-ahead - 10)), (head.ObservedAt, head.ObservedAfter));
        Assert.Equal(TimeSpan.FromSeconds(-ahead), Instance().ClockOffset);
    }

    [Fact]
    public void Heartbeat_ThatWasQuickerThanTheHello_MeasuresTheClock()
    {
        // The hello was three seconds on its way; the first heartbeat none, the second four.
        var agent = new FakeAgent(_collector.NewStream()).Hello(at: Some.Time.AddSeconds(-3)).Beat(Some.Time).Beat(Some.Time.AddSeconds(-4));

        agent.Report(FileTree.OfSize(10));

        Assert.Equal(Some.Time, _collector.Store.Read(transaction => transaction.Heads.Newest("i-1"))!.ObservedAt);
    }

    [Fact]
    public void Heartbeat_AfterAClockWasSet_IsShown()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello(at: Some.Time);
        _collector.Time.Advance(TimeSpan.FromMinutes(2));

        agent.Beat(_collector.Time.GetUtcNow().AddSeconds(-30));

        Assert.Equal(TimeSpan.FromSeconds(30), Instance().ClockOffset);
    }

    private Instance Instance() => _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!;
}
