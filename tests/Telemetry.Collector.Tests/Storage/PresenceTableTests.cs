using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Tests.Storage;

public sealed class PresenceTableTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Session_ThatIsOpenWhenTheCollectorDies_EndsWhenThatWasLastKnownToRun()
    {
        Begin(0);
        _collector.Store.Write(transaction => transaction.Presence.Alive(At(7)));

        _collector.Restart();

        Assert.Equal([(Availability.Up, 0, 7), (Availability.Unknown, 7, 20)], Between(0, 20));
    }

    [Fact]
    public void Instance_ThatIsConnectedWhenTheCollectorDies_WasSeenUntilThen()
    {
        _collector.Store.Write(transaction =>
        {
            transaction.Instances.Put(Some.Instance("i-1") with { LastSeen = At(0) });
            transaction.Instances.Put(Some.Instance("i-2") with { LastSeen = At(1) });
        });
        Begin(0);
        _collector.Store.Write(transaction => transaction.Presence.Alive(At(7)));

        _collector.Restart();
        _collector.Store.Write(transaction => transaction.Instances.Seen("i-1", At(5)));

        Assert.Equal([At(7), At(1)], _collector.Store.Read(transaction => transaction.Instances.All()).Select(instance => instance.LastSeen));
    }

    [Fact]
    public void Session_ThatIsOpen_LastsUntilItWasLastHeardOf()
    {
        Begin(0);

        Assert.Equal([(Availability.Up, 0, 15), (Availability.Unknown, 15, 20)], Between(0, 20, lastSeen: 15));
        Assert.Equal([(Availability.Unknown, 0, 20)], Between(0, 20));
    }

    [Fact]
    public void Session_WhoseEndCouldNotBeWritten_IsNotUpUntilTheNextOne()
    {
        var first = Begin(0);
        Begin(15);

        Assert.Equal([(Availability.Unknown, 0, 15), (Availability.Up, 15, 20)], Between(0, 20, lastSeen: 20));

        End(first, 5);
        Assert.Equal([(Availability.Up, 0, 5), (Availability.Unknown, 5, 15), (Availability.Up, 15, 20)], Between(0, 20, lastSeen: 20));
    }

    [Theory]
    [InlineData("boot-2", true, true)]
    [InlineData("boot-1", true, false)]   // the same boot: nobody knows what it did
    [InlineData("", true, false)]
    [InlineData("boot-2", false, false)]  // it would not have sampled: no proof
    public void Gap_BetweenTwoSessions_IsDownOnlyWhenAnotherBootProvesIt(string bootId, bool isSampled, bool isDown)
    {
        End(Begin(0, isSampled: isSampled), 5);

        Begin(12, bootId, bootedAt: 10);

        (Availability, int, int)[] rest = isDown ? [(Availability.Down, 5, 10), (Availability.Unknown, 10, 12)] : [(Availability.Unknown, 5, 12)];
        Assert.Equal([(Availability.Up, 0, 5), .. rest, (Availability.Up, 12, 20)], Between(0, 20, lastSeen: 20));
    }

    [Fact]
    public void Samples_ToldLater_ShowThatItWasUp()
    {
        End(Begin(0), 5);
        Begin(30, "boot-2", bootedAt: 20);

        // It lost its connection at 5, ran until 10, and booted at 20.
        foreach (var minute in (double[])[5, 6, 7, 7.5, 8, 8.5, 9, 10])
            _collector.Store.Write(transaction => transaction.Presence.Sampled("i-1", Some.Time.AddMinutes(minute), Sampling));

        Assert.Equal(
            [(Availability.Up, 0, 10), (Availability.Down, 10, 20), (Availability.Unknown, 20, 30), (Availability.Up, 30, 40)],
            Between(0, 40, lastSeen: 40));
        Assert.Equal([(Availability.Down, 12, 15)], Between(12, 15, lastSeen: 40));
    }

    [Fact]
    public void Samples_FarApart_AreNoProofOfWhatWasBetween()
    {
        foreach (var minute in (double[])[0, 1, 5, 6])
            _collector.Store.Write(transaction => transaction.Presence.Sampled("i-1", Some.Time.AddMinutes(minute), Sampling));

        Assert.Equal([(Availability.Up, 0, 1), (Availability.Unknown, 1, 5), (Availability.Up, 5, 6), (Availability.Unknown, 6, 7)], Between(0, 7));
    }

    [Fact]
    public void Samples_LostBeforeABoot_MakeTheTimeUnknown()
    {
        End(Begin(0), 5);
        Begin(12, "boot-2", bootedAt: 10);

        _collector.Store.Write(transaction => transaction.PointAccounts.Count("i-1", Some.Time, 1, new Telemetry.Collector.TimeSeries.PointCounts(0, 0, 0, 1, 0)));

        Assert.Equal([(Availability.Up, 0, 5), (Availability.Unknown, 5, 12), (Availability.Up, 12, 20)], Between(0, 20, lastSeen: 20));
    }

    [Fact]
    public void Down_ByACheckOrTheCloud_IsKeptUntilItEnds()
    {
        Begin(0);
        _collector.Store.Write(transaction =>
        {
            transaction.StateIntervals.Begin("i-1", DownSource.Check, "http", At(3));
            transaction.StateIntervals.Begin("i-1", DownSource.Check, "http", At(4));
            transaction.StateIntervals.End("i-1", DownSource.Check, "http", At(6));
            transaction.StateIntervals.Begin("i-1", DownSource.Check, "http", At(8));
            transaction.StateIntervals.Begin("i-1", DownSource.Cloud, "", At(12));
        });

        Assert.Equal(
            [
                (Availability.Up, 0, 3), (Availability.Down, 3, 6), (Availability.Up, 6, 8),
                (Availability.Down, 8, 10),       // the check, until nobody was there to tell
                (Availability.Unknown, 10, 12), (Availability.Down, 12, 20),
            ],
            Between(0, 20, lastSeen: 10));
    }

    [Fact]
    public void Session_BegunBeforeTheClockWasSetBack_LastsSinceThen()
    {
        Begin(6_000);

        _collector.Store.Write(transaction => transaction.Presence.Alive(At(10)));

        Assert.Equal([(Availability.Unknown, 0, 10), (Availability.Up, 10, 20)], Between(0, 20, lastSeen: 20));
    }

    [Fact]
    public void Session_EndedRightAfterTheClockWasSetBack_IsNotInTheFuture()
    {
        End(Begin(6_000), 15);

        Assert.Empty(Signs(16, 10_000));
        Assert.Equal([new SignOfLife(At(15), At(15), Sampling)], Signs(0, 16));
    }

    [Theory]
    [InlineData(6_010)]
    [InlineData(15)]   // after it was set back
    public void Reboot_AfterTheClockWasSetBack_IsNotedOnce(int end)
    {
        End(Begin(0), 5);
        End(Begin(6_000), end);

        End(Begin(20, "boot-2", bootedAt: 18), 25);
        End(Begin(30, "boot-2", bootedAt: 19), 35);
        Begin(40, "boot-2", bootedAt: 17);

        Assert.Equal(
            [new Boot(At(0), IsProof: false), new Boot(At(18), IsProof: true)],
            _collector.Store.Read(transaction => transaction.Presence.Of("i-1", At(0), At(60), At(60), null)).Boots.OrderBy(boot => boot.At));
    }

    private IReadOnlyList<SignOfLife> Signs(int from, int to) =>
        [.. _collector.Store.Read(transaction => transaction.Presence.Of("i-1", At(from), At(to), At(to), null)).Alive.Where(sign => sign.To >= At(from) && sign.From < At(to))];

    private static TimeSpan Sampling => TimeSpan.FromSeconds(20);

    private long Begin(int minute, string bootId = "boot-1", int? bootedAt = null, bool isSampled = true) =>
        _collector.Store.Write(transaction => transaction.Presence.Begin(new Arrival("i-1", At(minute), bootId, bootedAt is { } at ? At(at) : null, isSampled, Sampling)));

    private void End(long session, int minute) => _collector.Store.Write(transaction => transaction.Presence.End(session, At(minute)));

    private IEnumerable<(Availability, int, int)> Between(int from, int to, int? lastSeen = null) =>
        _collector.Store.Read(transaction => transaction.Presence.Of("i-1", At(from), At(to), At(to), lastSeen is { } seen ? At(seen) : null))
            .Between(At(from), At(to))
            .Select(interval => (interval.State, Minute(interval.Interval.From), Minute(interval.Interval.To)));

    private static DateTimeOffset At(int minute) => Some.Time.AddMinutes(minute);

    private static int Minute(DateTimeOffset time) => (int)(time - Some.Time).TotalMinutes;
}
