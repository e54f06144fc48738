using Microsoft.Data.Sqlite;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Ingest;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Tests.Ingest;

/// <summary>When an instance was up, from what its streams tell.</summary>
public sealed class AgentPresenceTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]   // no time-series store: the samples have no points
    public async Task Connection_ThatWasCut_IsUpByTheSamplesToldLater(bool hasPoints)
    {
        var (first, _) = Connect(hasPoints, sampling: 30);
        await Cut(first, lastSeen: At(60));

        // Ten minutes of samples, told when it is back.
        _collector.Time.Advance(TimeSpan.FromMinutes(11));
        var (_, agent) = Connect(hasPoints, sampling: 30);
        for (var sample = 0; sample < 20; sample++)
            agent.Sample(At(75 + (30 * sample)), (ulong)sample + 1, hasPoint: hasPoints);

        Assert.Equal([(Availability.Up, At(0), At(660))], Between(0, 660));
    }

    [Fact]
    public async Task Connection_ThatWasCut_IsUnknownWithoutSamples()
    {
        var (first, _) = Connect(hasPoints: false);
        await Cut(first, lastSeen: At(60));

        _collector.Time.Advance(TimeSpan.FromMinutes(11));
        Connect(hasPoints: false);

        Assert.Equal([(Availability.Up, At(0), At(60)), (Availability.Unknown, At(60), At(660))], Between(0, 660));
    }

    [Fact]
    public async Task Samples_FiveMinutesApart_AreOneRun()
    {
        var (first, _) = Connect(hasPoints: false, sampling: 300);
        await Cut(first, lastSeen: At(60));
        _collector.Time.Advance(TimeSpan.FromHours(1));
        var (_, agent) = Connect(hasPoints: false, sampling: 300);

        for (var sample = 1; sample <= 11; sample++)
            agent.Sample(At(300 * sample), (ulong)sample, hasPoint: false);

        Assert.Equal([(Availability.Up, At(0), At(3600))], Between(0, 3600));
    }

    [Fact]
    public async Task Reboot_AfterSamplesThatWereToldLater_IsDownFromTheLastOfThem()
    {
        var (first, _) = Connect(hasPoints: false);
        await Cut(first, lastSeen: At(60));
        _collector.Time.Advance(TimeSpan.FromMinutes(30));
        var (_, agent) = Connect(hasPoints: false, bootId: "boot-2", bootedAt: At(1200));

        for (var sample = 0; sample < 80; sample++)
            agent.Sample(At(70 + (10 * sample)), (ulong)sample + 1, hasPoint: false);

        Assert.Equal(
            [(Availability.Up, At(0), At(860)), (Availability.Down, At(860), At(1200)), (Availability.Unknown, At(1200), At(1800))],
            Between(0, 1800));
    }

    [Fact]
    public async Task Departure_ThatTheDiskDoesNotTake_IsWrittenWhenItDoes()
    {
        var departures = _collector.NewDepartures();
        var (first, _) = Connect(hasPoints: false);

        using var begun = new ManualResetEventSlim();
        using var held = new ManualResetEventSlim();
        var holding = _collector.Store.WriteAsync(_ =>
        {
            begun.Set();
            held.Wait(TestContext.Current.CancellationToken);
        });
        begun.Wait(TestContext.Current.CancellationToken);
        var leaving = first.LeaveAsync(departures, At(60));
        var full = _collector.Store.WriteAsync(_ => throw new SqliteException("database or disk is full", 13));
        held.Set();
        await holding;
        await leaving;
        await Assert.ThrowsAsync<StoreException>(() => full);
        Assert.Equal([(Availability.Unknown, At(0), At(300))], Between(0, 300, isConnected: false));

        await departures.SettleAsync(transaction => transaction.Presence.Alive(At(300)));

        _collector.Restart();
        Assert.Equal([(Availability.Up, At(0), At(60)), (Availability.Unknown, At(60), At(300))], Between(0, 300, isConnected: false));
    }

    private (AgentStream Stream, FakeAgent Agent) Connect(bool hasPoints, int sampling = 10, string bootId = "boot-1", DateTimeOffset? bootedAt = null)
    {
        var stream = _collector.NewStream(hasPoints ? new PointQueue(_collector.Store, new StoreOptions(TimeSpan.FromDays(36_500)), TimeProvider.System) : null);
        var agent = new FakeAgent(stream).Hello(_collector.Time.GetUtcNow(), bootId, bootedAt ?? At(-600), TimeSpan.FromSeconds(sampling));
        return (stream, agent);
    }

    private Task Cut(AgentStream stream, DateTimeOffset lastSeen) => stream.LeaveAsync(_collector.NewDepartures(), lastSeen);

    private List<(Availability State, DateTimeOffset From, DateTimeOffset To)> Between(int from, int to, bool isConnected = true) =>
        [.. _collector.Store.Read(transaction => transaction.Presence.Of("i-1", At(from), At(to), At(to), isConnected ? _collector.Time.GetUtcNow() : null))
            .Between(At(from), At(to))
            .Select(interval => (interval.State, interval.Interval.From, interval.Interval.To))];

    private static DateTimeOffset At(int second) => Some.Time.AddSeconds(second);
}
