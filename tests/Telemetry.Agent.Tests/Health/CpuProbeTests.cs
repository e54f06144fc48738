using Telemetry.Agent.Health;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

public sealed class CpuProbeTests : IDisposable
{
    private readonly TemporaryDirectory _proc = new();

    [Fact]
    public void Read_FirstSample_HasNoPoints()
    {
        Assert.Empty(Read(new CpuProbe(_proc.Path), "cpu  1 2 3 4 5 6 7 8 9 10"));
    }

    [Fact]
    public void Read_SecondSample_FollowsTelegrafsFormulas()
    {
        var probe = new CpuProbe(_proc.Path);
        Read(probe, "cpu  100 100 100 100 100 100 100 100 50 50\ncpu0 0 0 0 0 0 0 0 0 0 0");

        var points = Read(probe, "cpu  120 110 105 150 105 102 103 105 55 52\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 1");

        // Total is 20 + 10 + 5 + 50 + 5 + 2 + 3 + 5 = 100; cpu0 did not move.
        var point = Assert.Single(points);
        Assert.Equal(("cpu", "cpu", "cpu-total"), (point.Measurement, point.Tags[0].Name, point.Tags[0].Value));
        Assert.Equal(
            [("usage_user", 15.0), ("usage_system", 5), ("usage_idle", 50), ("usage_nice", 8), ("usage_iowait", 5), ("usage_irq", 2), ("usage_softirq", 3), ("usage_steal", 5), ("usage_guest", 5), ("usage_guest_nice", 2)],
            point.Fields.Select(field => (field.Name, field.Float!.Value)));
    }

    [Fact]
    public void Read_CpuThatWentBackOrIsNew_IsLeftOutAndTheOthersContinue()
    {
        var probe = new CpuProbe(_proc.Path);
        Read(probe, "cpu0 100 0 0 100 0 0 0 0\ncpu1 100 0 0 100 0 0 0 0");

        var reading = Reading(probe, "cpu0 50 0 0 200 0 0 0 0\ncpu1 150 0 0 150 0 0 0 0\ncpu2 1 0 0 1 0 0 0 0");

        Assert.Equal("cpu1", Assert.Single(reading.Points).Tags[0].Value);
        Assert.Equal(["cpu0 has counters that ran backwards"], reading.Reasons);
    }

    [Fact]
    public void Read_CpuWhoseWaitingRanBackwards_IsLeftOut()
    {
        var probe = new CpuProbe(_proc.Path);
        Read(probe, "cpu0 100 0 0 100 50 0 0 0\ncpu1 100 0 0 100 50 0 0 0");

        var reading = Reading(probe, "cpu0 150 0 0 150 49 0 0 0\ncpu1 150 0 0 150 50 0 0 0");

        Assert.Equal("cpu1", Assert.Single(reading.Points).Tags[0].Value);
        Assert.Equal(1, reading.Skipped);
    }

    [Fact]
    public void Read_CpuThatGoesAndComesBack_IsToldAndBeginsAnew()
    {
        var probe = new CpuProbe(_proc.Path);
        Read(probe, "cpu0 100 0 0 100 0 0 0 0\ncpu1 100 0 0 100 0 0 0 0");

        var gone = Reading(probe, "cpu0 150 0 0 150 0 0 0 0");
        var back = Reading(probe, "cpu0 160 0 0 160 0 0 0 0\ncpu1 200 0 0 200 0 0 0 0");
        var both = Reading(probe, "cpu0 170 0 0 170 0 0 0 0\ncpu1 210 0 0 210 0 0 0 0");

        Assert.Equal(("cpu0", "cpu1 went away"), (Assert.Single(gone.Points).Tags[0].Value, Assert.Single(gone.Reasons)));
        Assert.Equal(("cpu0", 0), (Assert.Single(back.Points).Tags[0].Value, back.Skipped));
        Assert.Equal(["cpu0", "cpu1"], both.Points.Select(point => point.Tags[0].Value));
    }

    [Fact]
    public void Read_WithoutStat_HasNoData()
    {
        Assert.Empty(new CpuProbe(_proc.Path).Points());
    }

    [Fact]
    public void Read_ThisMachine_AddsUpToHundred()
    {
        var probe = new CpuProbe("/proc");
        probe.Points();
        var deadline = TimeProvider.System.GetTimestamp();
        IReadOnlyList<HealthPoint> points = [];
        while (points.Count == 0 && TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(10))
            points = probe.Points();

        // Guest times are within user and nice, which are reported without them.
        Assert.Equal(100, points[0].Fields.Sum(field => field.Float!.Value), 0.5);
    }

    public void Dispose() => _proc.Dispose();

    private IReadOnlyList<HealthPoint> Read(CpuProbe probe, string stat) => Reading(probe, stat).Points;

    private ProbeReading Reading(CpuProbe probe, string stat)
    {
        _proc.Write("stat", stat + "\n");
        return probe.Look();
    }
}
