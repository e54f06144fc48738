using System.Text;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class ClockShiftTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData(0, 10, 0)]
    [InlineData(29, 10, 0)]
    [InlineData(-29, 1, 0)]
    [InlineData(31, 10, 30)]
    [InlineData(-36, 10, -40)]
    [InlineData(3_601, 1, 3_601)]
    [InlineData(-86_405, 15, -86_400)]
    [InlineData(100, 600, 120)]
    [InlineData(100, 0, 120)]
    public void OfPoints_AClockThatIsOff_IsAWholeNumberOfIntervals(int behind, int sampling, int shift) =>
        Assert.Equal(TimeSpan.FromSeconds(shift), ClockShift.OfPoints(TimeSpan.FromSeconds(behind), TimeSpan.FromSeconds(sampling)));

    [Theory]
    [InlineData(1_799, 0)]
    [InlineData(-1_900, -1)]
    [InlineData(3 * 86_400 + 7, 72)]
    public void OfHours_AClockThatIsOff_IsWholeHours(int behind, int hours) =>
        Assert.Equal(TimeSpan.FromHours(hours), ClockShift.OfHours(TimeSpan.FromSeconds(behind)));

    [Theory]
    [InlineData(-3 * 3_600, -3 * 3_600, -3)]
    [InlineData(200 * 86_400 + 3, 200 * 86_400, 200 * 24)]
    [InlineData(7, 0, 0)]
    public void Points_OfAnAgentWhoseClockIsOff_AreDatedAndCountedByTheCollectors(int behind, int shift, int hours)
    {
        var queue = new PointQueue(_collector.Store, Collector.KeepsAll, TimeProvider.System);
        var agent = new FakeAgent(_collector.NewStream(queue)).Hello(at: Some.Time.AddSeconds(-behind));

        agent.Sample(Some.Time, 1);

        var line = Encoding.UTF8.GetString(Assert.Single(_collector.Store.Read(transaction => transaction.Points.Oldest(10, 1_000))).Lines.Span);
        Assert.Equal($"mem total=1i {Some.Time.AddSeconds(shift).ToUnixTimeSeconds()}000000000\n", line);
        var account = Assert.Single(_collector.Store.Read(transaction => transaction.PointAccounts.Of("i-1", DateTimeOffset.MinValue, DateTimeOffset.MaxValue)));
        Assert.Equal((Some.Time.AddHours(hours), 1, 1), (account.Hour, account.Counts.Collected, account.Counts.Stored));
    }
}
