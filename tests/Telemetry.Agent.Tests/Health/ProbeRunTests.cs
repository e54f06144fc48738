using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Health;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

public sealed class ProbeRunTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_WithPoints_IsOk()
    {
        var report = await Run(reading =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(3));
            reading.Add("x", [HealthField.Of("a", 1L)]);
        }).ReadAsync();

        Assert.Equal((ProbeOutcome.Ok, 1, TimeSpan.FromMilliseconds(3)), (report.Outcome, report.Points.Count, report.Duration));
        Assert.Equal("outcome=0i duration_ns=3000000i points=1i skipped=0i", report.ToPoint().Text());
        Assert.Equal(("agent", "fake"), (report.ToPoint().Measurement, report.ToPoint().Tag("probe")));
    }

    [Fact]
    public async Task Read_WithoutPoints_HasNoData()
    {
        var report = await Run(_ => { }).ReadAsync();

        Assert.Equal((ProbeOutcome.NoData, null), (report.Outcome, report.Trouble));
    }

    [Fact]
    public async Task Read_ThatThrows_HasFailedWithItsReason()
    {
        var report = await Run(_ => throw new IOException("The kernel is away.")).ReadAsync();

        Assert.Equal((ProbeOutcome.Failed, "The kernel is away"), (report.Outcome, report.Trouble));
    }

    [Fact]
    public async Task Read_ThatHangs_IsGivenUpAndNotAskedAgainUntilItIsBack()
    {
        using var away = new ManualResetEventSlim();
        var asked = 0;
        var run = Run(reading =>
        {
            Interlocked.Increment(ref asked);
            away.Wait(Cancellation);
            reading.Add("x", [HealthField.Of("a", 1L)]);
        });

        var first = run.ReadAsync();
        await Eventually.True(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
                return first.IsCompleted;
            },
            "the probe to be given up", Cancellation);
        var second = await run.ReadAsync();
        var askedWhileAway = asked;
        away.Set();
        var third = second;
        await Eventually.True(() => (third = run.ReadAsync().GetAwaiter().GetResult()).Outcome != ProbeOutcome.Failed, "the probe to be back", Cancellation);

        Assert.Equal(ProbeOutcome.Failed, (await first).Outcome);
        Assert.Contains("longer than 5 s", (await first).Trouble);
        Assert.Contains("it hangs", second.Trouble);
        Assert.Equal(1, askedWhileAway);
        Assert.Equal(ProbeOutcome.Ok, third.Outcome);
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(21, false)]
    public void IsDue_AtWholeMultiplesOfItsInterval(int second, bool expected) =>
        Assert.Equal(expected, Run(_ => { }).IsDue(new DateTimeOffset(2026, 3, 1, 0, 0, second, TimeSpan.Zero)));

    private ProbeRun Run(Action<ProbeReading> read) => new(new Fake(read), Interval, Timeout, _clock);

    private sealed class Fake(Action<ProbeReading> read) : IProbe
    {
        public string Name => "fake";

        public void Read(ProbeReading reading) => read(reading);
    }
}
