using FsCheck.Xunit;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class PresenceTests
{
    [Fact]
    public void Between_SessionsSamplesAndABoot_IsUpDownAndUnknown()
    {
        var presence = new Presence
        {
            Alive = [Sign(0, 10), Sign(30, 40), Sign(8, 15)],
            Boots = [new Boot(At(20), IsProof: true)],
        };

        Assert.Equal(
            [
                (Availability.Unknown, Minutes(-5, 0)),
                (Availability.Up, Minutes(0, 15)),
                (Availability.Down, Minutes(15, 20)),
                (Availability.Unknown, Minutes(20, 30)),
                (Availability.Up, Minutes(30, 40)),
                (Availability.Unknown, Minutes(40, 50)),
            ],
            Of(presence, -5, 50));
    }

    [Theory]
    [InlineData(10, 1, true)]
    [InlineData(11, 1, false)]    // no reboot takes so long: the agent may have been stopped
    [InlineData(29, 10, true)]      // it samples so rarely
    [InlineData(31, 10, false)]
    public void Between_LastSampleAndABoot_IsDownOnlyAsLongAsARebootTakes(int minutes, int sampling, bool isDown)
    {
        var presence = new Presence { Alive = [Sign(0, 5, sampling)], Boots = [new Boot(At(5 + minutes), IsProof: true)] };

        Assert.Equal((isDown ? Availability.Down : Availability.Unknown, Minutes(5, 5 + minutes)), Of(presence, 5, 5 + minutes).Single());
    }

    [Theory]
    [InlineData(-10, 5, true)]      // before what is known to have been sampled
    [InlineData(-10, 6, false)]
    [InlineData(8, 60, false)]
    [InlineData(10, 60, true)]      // after the boot
    public void Between_ABootAndSamplesThatWereLost_IsUnknown(int from, int to, bool isDown)
    {
        var presence = new Presence { Alive = [Sign(0, 5)], Boots = [new Boot(At(10), IsProof: true)], Lost = [Minutes(from, to)] };

        Assert.Equal((isDown ? Availability.Down : Availability.Unknown, Minutes(5, 10)), Of(presence, 5, 10).Single());
    }

    [Fact]
    public void Between_ABootOfWhichNothingIsKnown_IsUnknown()
    {
        var presence = new Presence { Alive = [Sign(0, 5), Sign(6, 7)], Boots = [new Boot(At(6), IsProof: false)] };

        Assert.Equal([(Availability.Up, Minutes(0, 5)), (Availability.Unknown, Minutes(5, 6)), (Availability.Up, Minutes(6, 7))], Of(presence, 0, 7));
    }

    [Theory]
    [InlineData(1, null, true)]
    [InlineData(3, null, true)]
    [InlineData(4, null, false)]
    [InlineData(3, 2, false)]    // it booted in between
    public void Between_SignsOfLifeThatAreNear_IsUpUnlessItBooted(int pause, int? bootAfter, bool isUp)
    {
        var presence = new Presence
        {
            Alive = [Sign(0, 5, 1), Sign(5 + pause, 5 + pause, 1), Sign(5 + pause + 1, 20, 1)],
            Boots = bootAfter is { } minutes ? [new Boot(At(5 + minutes), IsProof: true)] : [],
        };

        var intervals = Of(presence, 0, 20);

        Assert.Equal(isUp ? 1 : 0, intervals.Count(interval => interval == (Availability.Up, Minutes(0, 20))));
        Assert.Equal(bootAfter is not null, intervals.Exists(interval => interval.State == Availability.Down));
    }

    [Fact]
    public void Between_ACheckThatFailsAndAStoppedMachine_IsDown()
    {
        var presence = new Presence { Alive = [Sign(0, 20)], Failing = [Minutes(5, 8), Minutes(7, 10)], Stopped = [Minutes(18, 30)] };

        Assert.Equal(
            [
                (Availability.Up, Minutes(0, 5)),
                (Availability.Down, Minutes(5, 10)),
                (Availability.Up, Minutes(10, 20)),
                (Availability.Down, Minutes(20, 30)),
                (Availability.Unknown, Minutes(30, 40)),
            ],
            Of(presence, 0, 40));
    }

    [Property(MaxTest = 500)]
    public void Between_AnyEvidence_CoversTheTimeOnceAndEachMinuteByItsEvidence(
        (int From, int Length)[] alive, (int At, bool IsProof)[] boots, (int From, int Length)[] lost, (int From, int Length)[] failing, (int From, int Length)[] stopped)
    {
        var presence = new Presence
        {
            Alive = [.. Intervals(alive).Select(interval => new SignOfLife(interval.From, interval.To, TimeSpan.FromSeconds(60)))],
            Boots = [.. boots.Select(boot => new Boot(At(boot.At % 100), boot.IsProof))],
            Lost = Intervals(lost),
            Failing = Intervals(failing),
            Stopped = Intervals(stopped),
        };

        var intervals = presence.Between(At(0), At(60));

        Assert.Equal(At(0), intervals[0].Interval.From);
        Assert.Equal(At(60), intervals[^1].Interval.To);
        for (var i = 0; i + 1 < intervals.Count; i++)
        {
            Assert.Equal(intervals[i].Interval.To, intervals[i + 1].Interval.From);
            Assert.NotEqual(intervals[i].State, intervals[i + 1].State);
        }

        for (var minute = 0; minute < 60; minute++)
            Assert.Equal(Expected(presence, minute), intervals.Single(interval => interval.Interval.From <= At(minute) && At(minute) < interval.Interval.To).State);
    }

    /// <summary>The rules one after the other, for one minute.</summary>
    private static Availability Expected(Presence presence, int minute)
    {
        var now = At(minute);
        if (presence.Failing.Any(Covers))
            return Availability.Down;
        if (presence.Alive.Any(sign => sign.From <= now && now < sign.To))
            return Availability.Up;

        var before = presence.Alive.Where(sign => sign.From <= now).Select(sign => (DateTimeOffset?)sign.To).Max();
        var after = presence.Alive.Where(sign => sign.From > now).Select(sign => (DateTimeOffset?)sign.From).Min();
        if (before is { } last && after is { } next && next - last <= TimeSpan.FromMinutes(3) && !presence.Boots.Any(boot => boot.At >= last && boot.At <= next))
            return Availability.Up;
        if (presence.Stopped.Any(Covers))
            return Availability.Down;

        return before is { } end && presence.Boots.Any(boot =>
            boot.IsProof && boot.At > now && boot.At - end <= Presence.LongestReboot
            && !presence.Alive.Any(sign => sign.From > now && sign.From < boot.At)
            && !presence.Lost.Any(lost => lost.From < boot.At && lost.To > end))
            ? Availability.Down
            : Availability.Unknown;

        bool Covers(Interval interval) => interval.From <= now && now < interval.To;
    }

    private static List<(Availability State, Interval Interval)> Of(Presence presence, int from, int to) =>
        [.. presence.Between(At(from), At(to)).Select(interval => (interval.State, interval.Interval))];

    private static DateTimeOffset At(int minute) => Some.Time.AddMinutes(minute);

    private static Interval Minutes(int from, int to) => new(At(from), At(to));

    private static SignOfLife Sign(int from, int to, double samplingMinutes = 1.0 / 6) => new(At(from), At(to), TimeSpan.FromMinutes(samplingMinutes));

    private static List<Interval> Intervals((int From, int Length)[] given) =>
        [.. given.Select(interval => (From: interval.From % 100, Length: Math.Abs(interval.Length % 30))).Select(interval => Minutes(interval.From, interval.From + interval.Length))];
}
