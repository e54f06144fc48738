using FsCheck.Xunit;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class PresenceTests
{
    [Fact]
    public void Between_SessionsAndABoot_IsUpDownAndUnknown()
    {
        var presence = new Presence(
            Connected: [Minutes(0, 10), Minutes(30, 40)],
            Sampled: [Minutes(8, 15)],
            Booting: [Minutes(10, 20)]);

        var intervals = presence.Between(At(-5), At(50));

        Assert.Equal(
            [
                (Availability.Unknown, Minutes(-5, 0)),
                (Availability.Up, Minutes(0, 15)),
                (Availability.Down, Minutes(15, 20)),
                (Availability.Unknown, Minutes(20, 30)),
                (Availability.Up, Minutes(30, 40)),
                (Availability.Unknown, Minutes(40, 50)),
            ],
            intervals.Select(interval => (interval.State, interval.Interval)));
    }

    [Property(MaxTest = 200)]
    public void Between_AnyIntervals_CoversTheTimeOnceAndEachMinuteByItsEvidence((int From, int Length)[] connected, (int From, int Length)[] sampled, (int From, int Length)[] booting)
    {
        var presence = new Presence(Intervals(connected), Intervals(sampled), Intervals(booting));

        var intervals = presence.Between(At(0), At(60));

        Assert.Equal(At(0), intervals[0].Interval.From);
        Assert.Equal(At(60), intervals[^1].Interval.To);
        for (var i = 0; i + 1 < intervals.Count; i++)
        {
            Assert.Equal(intervals[i].Interval.To, intervals[i + 1].Interval.From);
            Assert.NotEqual(intervals[i].State, intervals[i + 1].State);
        }

        for (var minute = 0; minute < 60; minute++)
        {
            var isUp = Covers(presence.Connected, minute) || Covers(presence.Sampled, minute);
            var expected = isUp ? Availability.Up : Covers(presence.Booting, minute) ? Availability.Down : Availability.Unknown;
            Assert.Equal(expected, intervals.Single(interval => interval.Interval.From <= At(minute) && At(minute) < interval.Interval.To).State);
        }
    }

    private static DateTimeOffset At(int minute) => Some.Time.AddMinutes(minute);

    private static Interval Minutes(int from, int to) => new(At(from), At(to));

    private static List<Interval> Intervals((int From, int Length)[] given) =>
        [.. given.Select(interval => (From: interval.From % 100, Length: Math.Abs(interval.Length % 30))).Select(interval => Minutes(interval.From, interval.From + interval.Length))];

    private static bool Covers(IReadOnlyList<Interval> intervals, int minute) =>
        intervals.Any(interval => interval.From <= At(minute) && At(minute) < interval.To);
}
