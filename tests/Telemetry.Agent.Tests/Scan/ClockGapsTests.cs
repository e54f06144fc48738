using Telemetry.Agent.Scan;

namespace Telemetry.Agent.Tests.Scan;

public sealed class ClockGapsTests
{
    private readonly TwoClocks _clock = new();
    private readonly ClockGaps _gaps;

    public ClockGapsTests() => _gaps = new ClockGaps(_clock);

    [Fact]
    public void Check_BothClocksWentOn_SeesNoGap()
    {
        _clock.Pass(ofDay: TimeSpan.FromHours(1), running: TimeSpan.FromHours(1));
        Assert.Null(_gaps.Check());

        _clock.Pass(ofDay: TimeSpan.FromSeconds(5.5), running: TimeSpan.FromSeconds(5));
        Assert.Null(_gaps.Check());
    }

    [Fact]
    public void Check_AfterASuspension_SaysSinceWhenAndOnce()
    {
        _clock.Pass(ofDay: TimeSpan.FromSeconds(5), running: TimeSpan.FromSeconds(5));
        Assert.Null(_gaps.Check());
        var asleep = _clock.GetUtcNow();

        _clock.Pass(ofDay: TimeSpan.FromHours(8), running: TimeSpan.FromSeconds(1));

        Assert.Equal(asleep, _gaps.Check());
        Assert.Null(_gaps.Check());
    }

    [Fact]
    public void Check_ClockSetBack_WindowDoesNotEndBeforeItBegins()
    {
        _clock.Pass(ofDay: TimeSpan.FromHours(-1), running: TimeSpan.FromSeconds(1));

        Assert.Equal(_clock.GetUtcNow(), _gaps.Check());
    }

    /// <summary>The time of day and the running time, apart.</summary>
    private sealed class TwoClocks : TimeProvider
    {
        private DateTimeOffset _ofDay = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        private TimeSpan _running = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => _ofDay;

        public override long GetTimestamp() => _running.Ticks;

        public void Pass(TimeSpan ofDay, TimeSpan running)
        {
            _ofDay += ofDay;
            _running += running;
        }
    }
}
