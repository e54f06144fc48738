using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class PointQueueTests : IDisposable
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
        var batch = new V1.HealthBatch { Epoch = 1, Sequence = 1, Collected = 3 };
        batch.Losses.Add(new V1.Loss { Hour = hour.ToTimestamp(), Points = 7, Reason = V1.LossReason.SpoolFull });
        var queue = new PointQueue(_collector.Store, Collector.StoreOptions, _collector.Time);

        var adding = queue.AddAsync([queue.Prepare(new PointDelivery("i-1", new HeadPosition(1, 1), batch, new SeriesNames()) { SampledAt = hour })]);
        _collector.Time.Advance(TimeSpan.FromMilliseconds(100));
        await adding;

        var accounts = _collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        PointCounts[] expected = isKept ? [new PointCounts(3, 0, 0, 7, 0)] : [];
        Assert.Equal(expected, accounts.Select(account => account.Counts));
    }
}
