using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Lane = Telemetry.Protocol.V1.Lane;

namespace Telemetry.Collector.Tests.Storage;

public sealed class PointAccountTableTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Hour_OfWhichEveryPointIsKnown_AddsUp()
    {
        Count(0, new PointCounts(10, 8, 2, 0, 0));
        Count(0, new PointCounts(25, 10, 0, 3, 2));

        var account = Assert.Single(Accounts());

        Assert.Equal(new PointCounts(25, 18, 2, 3, 2), account.Counts);
        Assert.Equal((0, 0), (account.Waiting, account.Missing));
    }

    [Fact]
    public void Hour_ThatWasLostEntirely_WasCollectedAllTheSame()
    {
        Count(0, new PointCounts(0, 0, 0, 60, 0));
        Count(1, new PointCounts(10, 10, 0, 0, 0));

        Assert.Equal([60, 10], Accounts().Select(account => account.Counts.Collected));
        Assert.All(Accounts(), account => Assert.Equal((0, 0), (account.Waiting, account.Missing)));
    }

    [Fact]
    public void Points_UntoldOfTheNewestHour_WaitAndAreMissingOnceAnotherHourCame()
    {
        Count(0, new PointCounts(100, 40, 0, 0, 0));
        Assert.Equal((60, 0), (Accounts()[0].Waiting, Accounts()[0].Missing));

        Count(1, new PointCounts(10, 10, 0, 0, 0));
        Assert.Equal((0, 60), (Accounts()[0].Waiting, Accounts()[0].Missing));

        // Told at last, in another epoch: its disk was full then.
        Count(0, new PointCounts(0, 0, 0, 60, 0), epoch: 2);
        Assert.Equal((0, 0), (Accounts()[0].Waiting, Accounts()[0].Missing));
        Assert.Equal(100, Accounts()[0].Counts.Collected);
    }

    [Fact]
    public void Points_OnTheirWayToTheServer_WaitUntilItHasThem()
    {
        Count(0, new PointCounts(100, 90, 0, 0, 0));
        Count(1, new PointCounts(10, 10, 0, 0, 0));
        _collector.Store.Write(transaction =>
        {
            transaction.Points.Add("a 1"u8.ToArray(), 30, new PointOwner("i-1", At(0), 1));
            transaction.Points.Add("b 1"u8.ToArray(), 5, new PointOwner("i-1", At(0), 2));
            transaction.Points.Add("c 1"u8.ToArray(), 7);
        });

        var before = Accounts()[0];
        _collector.Store.Write(transaction => transaction.Points.Delete(0, long.MaxValue));

        Assert.Equal((55, 35, 10), (before.Stored, before.Waiting, before.Missing));
        Assert.Equal((90, 0, 10), (Accounts()[0].Stored, Accounts()[0].Waiting, Accounts()[0].Missing));
        Assert.Equal((10, 0), (Accounts()[1].Stored, Accounts()[1].Waiting));
    }

    [Fact]
    public void Refused_ByTheServer_IsNotStoredAndSaysWhy()
    {
        Count(0, new PointCounts(10, 10, 0, 0, 0));

        _collector.Store.Write(transaction => transaction.PointAccounts.Refuse(new PointOwner("i-1", At(0), 1), RejectionReason.RefusedByServer, 3));

        var account = Assert.Single(Accounts());
        Assert.Equal(new PointCounts(10, 7, 3, 0, 0), account.Counts);
        Assert.Equal([(RejectionReason.RefusedByServer, 3L)], account.Rejections);
    }

    [Fact]
    public void Gap_NoticedInAnHourWithoutPoints_IsShown()
    {
        _collector.Store.Write(transaction => transaction.LaneGaps.Add("i-1", new LaneGap(Lane.Health, 1, 5, 9), At(2).AddMinutes(7)));

        var account = Assert.Single(Accounts());

        Assert.Equal((At(2), 5), (account.Hour, account.MissingBatches));
    }

    [Fact]
    public void Gaps_OfOneLane_AreKeptUpToALimit()
    {
        _collector.Store.Write(transaction =>
        {
            for (var i = 0ul; i < 1_100; i++)
                transaction.LaneGaps.Add("i-1", new LaneGap(Lane.Health, 1, 2 * i, 2 * i), At(0));
        });

        Assert.Equal(1_000, _collector.Store.Read(transaction => transaction.LaneGaps.Of("i-1", 10_000)).Count);
    }

    [Fact]
    public void Losses_OfMoreThanThereCanBe_CountAsManyAndHideNoOther()
    {
        for (var epoch = 1ul; epoch <= 3; epoch++)
            Count(0, new PointCounts(0, 0, 0, long.MaxValue, long.MaxValue, long.MaxValue), epoch);
        Count(1, new PointCounts(10, 9, 0, 1, 0));

        Assert.Equal(
            [new PointCounts(9 * Most, 0, 0, 3 * Most, 3 * Most, 3 * Most), new PointCounts(10, 9, 0, 1, 0)],
            Accounts().Select(account => account.Counts));
    }

    private const long Most = 1L << 32;

    private void Count(int hour, PointCounts counts, ulong epoch = 1) =>
        _collector.Store.Write(transaction => transaction.PointAccounts.Count("i-1", At(hour), epoch, counts));

    private IReadOnlyList<PointAccount> Accounts() => _collector.Store.Read(transaction => transaction.PointAccounts.Of(null, At(0), At(24)));

    private static DateTimeOffset At(int hour) => Some.Time.AddHours(hour);
}
