using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Health;
using Telemetry.Agent.Tests.Spool;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

public sealed class HealthLoopTests : IDisposable
{
    private static readonly DateTimeOffset Time = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Spools _spools = new();
    private readonly List<string> _sampled = [];
    private readonly ConcurrentQueue<(HealthSample Sample, DateTimeOffset At)> _samples = [];
    private Func<DateTimeOffset> _now = () => default;

    public void Dispose() => _spools.Dispose();

    [Fact]
    public async Task Boundary_BeforeWhichTheTimerRings_IsSampledOnce()
    {
        // A timer of whole milliseconds, set here, rings half a millisecond early.
        var clock = new FakeTimeProvider(Time.AddTicks(5_000));
        using var loop = new HealthLoop([new NoProbe()], Queue(), new HealthOptions { Interval = TimeSpan.FromSeconds(1) }, clock, NullLogger<HealthLoop>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);

        for (var sample = 1; sample <= 3; sample++)
        {
            await Eventually.True(
                () =>
                {
                    clock.Advance(TimeSpan.FromMilliseconds(333));
                    lock (_sampled)
                        return _sampled.Count >= sample;
                },
                "a sample", TestContext.Current.CancellationToken);
        }

        await loop.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(_sampled.Distinct(), _sampled);
    }

    [Fact]
    public async Task Clock_SetBackByAnHour_DoesNotStopTheSamples()
    {
        var clock = new FakeTimeProvider(Time) { AutoAdvanceAmount = TimeSpan.Zero };
        using var loop = new HealthLoop([new NoProbe()], Queue(), new HealthOptions { Interval = TimeSpan.FromSeconds(1) }, clock, NullLogger<HealthLoop>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);
        await Sample(clock, 1);

        clock.AdjustTime(Time.AddHours(-1));
        await Sample(clock, 3);

        await loop.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Presence_WantedOnly_IsSampledWithoutPoints()
    {
        var clock = new FakeTimeProvider(Time) { AutoAdvanceAmount = TimeSpan.Zero };
        var probe = new NoProbe();
        var queue = Queue();
        queue.Begin(isWanted: false, 0, 0, isPresenceWanted: true);
        using var loop = new HealthLoop([probe], queue, new HealthOptions { Interval = TimeSpan.FromSeconds(1) }, clock, NullLogger<HealthLoop>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);

        await Sample(clock, 2);

        await loop.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, probe.Reads);
    }

    [Fact]
    public async Task Probe_WithAnIntervalOfItsOwn_IsReadAtItsBoundariesOnly()
    {
        var clock = new FakeTimeProvider(Time) { AutoAdvanceAmount = TimeSpan.Zero };
        var (often, rarely) = (new NoProbe("often"), new NoProbe("rarely"));
        var options = new HealthOptions { Interval = TimeSpan.FromSeconds(1), Intervals = new Dictionary<string, TimeSpan> { ["rarely"] = TimeSpan.FromSeconds(4) } };
        using var loop = new HealthLoop([often, rarely], Queue(), options, clock, NullLogger<HealthLoop>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);

        for (var sample = 1; sample <= 9; sample++)
            await Sample(clock, sample, step: TimeSpan.FromMilliseconds(250));

        await loop.StopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(_sampled.Count, often.Reads);
        Assert.Equal(_sampled.Count(time => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture).Second % 4 == 0), rarely.Reads);
        Assert.InRange(rarely.Reads, 1, 3);
    }

    [Fact]
    public async Task Probe_ThatHangs_KeepsNoOtherFromBeingToldAndIsToldByItself()
    {
        var clock = new FakeTimeProvider(Time) { AutoAdvanceAmount = TimeSpan.Zero };
        _now = clock.GetUtcNow;
        using var away = new ManualResetEventSlim();
        var options = new HealthOptions { Interval = TimeSpan.FromSeconds(10), Timeout = TimeSpan.FromSeconds(5) };
        using var loop = new HealthLoop([new NoProbe("works"), new AwayProbe(away)], Queue(), options, clock, NullLogger<HealthLoop>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);

        await SampleQuickly(clock, 3, step: TimeSpan.FromMilliseconds(100));
        away.Set();
        await loop.StopAsync(TestContext.Current.CancellationToken);

        // What is there is told at once; the other when it is given up, of the time it was asked at; from then on it is known to hang.
        var samples = _samples.Take(3).ToList();
        Assert.Equal([Time.AddSeconds(10), Time.AddSeconds(10), Time.AddSeconds(20)], samples.Select(told => told.Sample.Time));
        Assert.InRange(samples[0].At, Time.AddSeconds(10), Time.AddSeconds(14));
        Assert.Equal(["works"], samples[0].Sample.Points.Select(point => point.Tag("probe")));
        Assert.Equal("away", Assert.Single(samples[1].Sample.Points).Tag("probe"));
        Assert.Equal(2, samples[1].Sample.Points[0].Int("outcome"));
        Assert.Equal(["works", "away"], samples[2].Sample.Points.Select(point => point.Tag("probe")));
    }

    [Fact]
    public async Task Probe_ThatIsSlowerThanItsInterval_IsToldWhenItCame()
    {
        var clock = new FakeTimeProvider(Time) { AutoAdvanceAmount = TimeSpan.Zero };
        using var away = new ManualResetEventSlim();
        var probe = new AwayProbe(away);
        var options = new HealthOptions { Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromMinutes(1) };
        using var loop = new HealthLoop([new NoProbe("works"), probe], Queue(), options, clock, NullLogger<HealthLoop>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);
        await SampleQuickly(clock, 3, step: TimeSpan.FromMilliseconds(100));
        var asked = probe.Reads;

        away.Set();
        await Eventually.True(() => _samples.Any(told => told.Sample.Points.Any(point => point.Measurement == "away")), "the late points", TestContext.Current.CancellationToken);

        await loop.StopAsync(TestContext.Current.CancellationToken);
        var late = _samples.First(told => told.Sample.Points.Any(point => point.Measurement == "away")).Sample;
        Assert.Equal(1, asked);
        Assert.Equal(_samples.First().Sample.Time, late.Time);
        Assert.Equal(0, late.Points[^1].Int("outcome"));
    }

    /// <summary>A second passes, and no other before the loop has had time for it: else it leaves out some.</summary>
    private Task Sample(FakeTimeProvider clock, int count, TimeSpan step)
    {
        var looks = 0;
        return Eventually.True(
            () =>
            {
                if (looks++ % 100 < TimeSpan.FromSeconds(1) / step)
                    clock.Advance(step);
                lock (_sampled)
                    return _sampled.Count >= count;
            },
            "samples", TestContext.Current.CancellationToken);
    }

    private Task SampleQuickly(FakeTimeProvider clock, int count, TimeSpan step) => Eventually.True(
        () =>
        {
            clock.Advance(step);
            lock (_sampled)
                return _sampled.Count >= count;
        },
        "samples", TestContext.Current.CancellationToken);

    private Task Sample(FakeTimeProvider clock, int count) => Eventually.True(
        () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            lock (_sampled)
                return _sampled.Count >= count;
        },
        "samples", TestContext.Current.CancellationToken);

    private HealthQueue Queue()
    {
        var queue = new HealthQueue(
            _spools.Open().Health,
            sample =>
            {
                var time = sample.Time.ToString("o", CultureInfo.InvariantCulture);
                lock (_sampled)
                    _sampled.Add(time);

                // A loop that does not wait would never come to an end.
                Assert.InRange(_sampled.Count, 0, 20);
                _samples.Enqueue((sample, _now()));
                return [new HealthPart(sample.Points.Count, Encoding.ASCII.GetBytes(time))];
            },
            hasCollector: true,
            NullLogger<HealthQueue>.Instance);
        queue.Begin(isWanted: true, 0, 0);
        return queue;
    }

    private sealed class AwayProbe(ManualResetEventSlim away) : IProbe
    {
        private int _reads;

        public string Name => "away";

        public int Reads => _reads;

        public void Read(ProbeReading reading)
        {
            Interlocked.Increment(ref _reads);
            away.Wait();
            reading.Add("away", [HealthField.Of("a", 1L)]);
        }
    }

    private sealed class NoProbe(string name = "none") : IProbe
    {
        public string Name => name;

        public int Reads { get; private set; }

        public void Read(ProbeReading reading) => Reads++;
    }
}
