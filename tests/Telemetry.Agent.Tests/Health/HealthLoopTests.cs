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
                return Encoding.ASCII.GetBytes(time);
            },
            hasCollector: true,
            NullLogger<HealthQueue>.Instance);
        queue.Begin(isWanted: true, 0, 0);
        return queue;
    }

    private sealed class NoProbe(string name = "none") : IProbe
    {
        public string Name => name;

        public int Reads { get; private set; }

        public void Read(ProbeReading reading) => Reads++;
    }
}
