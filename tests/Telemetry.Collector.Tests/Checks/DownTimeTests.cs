using Telemetry.Collector.Checks;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Tests.Checks;

public sealed class DownTimeTests : IDisposable
{
    private static readonly long Now = Some.Time.ToUnixTimeMilliseconds();

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Joined_TakesTheShortestTimesUpAndNeverThoseOfAnotherCheck()
    {
        DownTime[] times = [Down("a", 0, 10), Down("a", 12, 20), Down("a", 21, 30), Down("a", 130, 140), Down("b", 141, 150), Down("b", 155, null)];

        var joined = DownTime.Joined(times, fewer: 3);

        Assert.Equal([(Down("a", 0, 30), 2), (Down("b", 141, null), 1)], joined.Select(one => (one.Grown, one.TakenIn.Count)));
        Assert.Equal([12L, 21], joined[0].TakenIn.Select(time => time.From));
        Assert.Empty(DownTime.Joined([Down("a", 0, 1), Down("b", 2, 3)], fewer: 5));
        Assert.Empty(DownTime.Joined([], fewer: 5));
    }

    [Fact]
    public void Intervals_OfACheckThatFlapsForEver_BecomeFewerAndKeepTheirExtent()
    {
        // Down for the first half of every minute; and longer up in the middle.
        Fill(StateIntervalTable.MaxKept, "'web/http'");
        _collector.Alter($"UPDATE state_intervals SET ended_at = began_at + 1000 WHERE began_at = {Now} + 60000 * 5000");

        _collector.Store.Write(transaction => transaction.StateIntervals.Begin("i-1", DownSource.Check, "web/http", Some.Time.AddDays(30)));

        Assert.Equal(StateIntervalTable.MaxKept * 9 / 10, Rows("i-1"));
        Assert.Equal(
            (Now, Some.Time.AddDays(30).ToUnixTimeMilliseconds()),
            (_collector.Scalar("SELECT MIN(began_at) FROM state_intervals WHERE instance_id = 'i-1'"), _collector.Scalar("SELECT MAX(began_at) FROM state_intervals")));
        Assert.Equal(1, _collector.Scalar($"SELECT COUNT(*) FROM state_intervals WHERE began_at = {Now} + 60000 * 5001"));
        Assert.Equal(1, _collector.Scalar("SELECT COUNT(*) FROM state_intervals WHERE ended_at IS NULL"));
        Assert.Equal(1, Rows("i-2"));
    }

    [Fact]
    public void Intervals_OfEverOtherChecks_LoseTheOldest()
    {
        Fill(StateIntervalTable.MaxKept, "'web/c' || i");

        _collector.Store.Write(transaction => transaction.StateIntervals.Begin("i-1", DownSource.Check, "web/new", Some.Time.AddDays(30)));

        Assert.Equal(StateIntervalTable.MaxKept * 9 / 10, Rows("i-1"));
        Assert.Equal(Now + (60_000 * 1_001), _collector.Scalar("SELECT MIN(began_at) FROM state_intervals WHERE instance_id = 'i-1'"));
        Assert.Equal(1, Rows("i-2"));
    }

    private static DownTime Down(string name, long from, long? to) => new(DownSource.Check, name, from, to);

    private long Rows(string instance) => _collector.Scalar($"SELECT COUNT(*) FROM state_intervals WHERE instance_id = '{instance}'");

    private void Fill(int count, string name) => _collector.Alter(
        $"""
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})
        INSERT INTO state_intervals (instance_id, source, name, began_at, ended_at)
             SELECT 'i-1', 1, {name}, {Now} + 60000 * i, {Now} + 60000 * i + 30000 FROM n;
        INSERT INTO state_intervals (instance_id, source, name, began_at, ended_at) VALUES ('i-2', 1, 'web/http', 1, 2);
        """);
}
