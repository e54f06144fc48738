using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class NoPointSinkTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(24 * 365 * 1000, false)]
    [InlineData(-24 * 399, true)]
    [InlineData(-24 * 401, false)]
    public async Task Account_OfAnHourThatNobodyKeeps_IsNotKept(int hoursAhead, bool isKept)
    {
        var hour = Some.Time.AddHours(hoursAhead);
        var sink = new NoPointSink(_collector.Store, Collector.StoreOptions, _collector.Time);
        var batch = new V1.HealthBatch { Epoch = 1, Sequence = 1 };
        batch.Points.Add(new V1.Point());
        batch.Losses.Add(new V1.Loss { Hour = hour.ToTimestamp(), Points = 7, Reason = V1.LossReason.SpoolFull });

        var adding = sink.AddAsync([sink.Prepare(new PointDelivery("i-1", new HeadPosition(1, 1), batch, new SeriesNames()) { SampledAt = hour })]);
        _collector.Time.Advance(TimeSpan.FromSeconds(1));
        await adding;

        var accounts = _collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        PointCounts[] expected = isKept ? [new PointCounts(8, 0, 0, 7, 0, 1)] : [];
        Assert.Equal(expected, accounts.Select(account => account.Counts));
    }

    [Fact]
    public void Delivery_ThatComesAgainOnANewStream_IsCountedOnce()
    {
        for (var stream = 0; stream < 2; stream++)
            new FakeAgent(_collector.NewStream(Sink())).Hello().Sample(Some.Time, 1);

        var account = Assert.Single(_collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", Some.Time, Some.Time.AddHours(1))));
        Assert.Equal(1, account.Counts.Dropped);
    }

    [Fact]
    public void Store_ThatWasAwayForAWhile_LeavesNoGapWhereDeliveriesCame()
    {
        var queue = new PointQueue(_collector.Store, Collector.KeepsAll, TimeProvider.System);
        new FakeAgent(_collector.NewStream(queue)).Hello().Sample(Some.Time, 1);
        var unwanted = new FakeAgent(_collector.NewStream(Sink())).Hello();
        unwanted.Sample(Some.Time, 2);
        unwanted.Sample(Some.Time, 3, hasPoint: false);
        new FakeAgent(_collector.NewStream(queue)).Hello().Sample(Some.Time, 4);

        Assert.Empty(_collector.Store.Read(transaction => transaction.LaneGaps.Of("i-1", 10)));
    }

    [Fact]
    public void Delivery_ThatNeverCame_IsNoticedThoughNobodyWantsPoints()
    {
        var agent = new FakeAgent(_collector.NewStream(Sink())).Hello();
        agent.Sample(Some.Time, 1);
        agent.Sample(Some.Time, 3);

        Assert.Equal(2u, Assert.Single(_collector.Store.Read(transaction => transaction.LaneGaps.Of("i-1", 10))).Gap.From);
    }

    private NoPointSink Sink() => new(_collector.Store, Collector.KeepsAll, TimeProvider.System);
}
