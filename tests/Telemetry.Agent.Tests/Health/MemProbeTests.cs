using Telemetry.Agent.Health;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Health;

public sealed class MemProbeTests
{
    [Fact]
    public void Read_MemInfo_FollowsTelegrafsFormulas()
    {
        using var proc = new TemporaryDirectory();
        proc.Write("meminfo", "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\nHugePages_Total:       3\nHugepagesize:       2048 kB\nCached: 50 kB\nSReclaimable: 7 kB\nActive(anon): 5 kB\n");

        var point = Assert.Single(new MemProbe(proc.Path).Points());

        var fields = point.Fields.ToDictionary(field => field.Name);
        Assert.Equal(34, fields.Count);
        Assert.Equal(1_024_000, fields["total"].Integer);
        Assert.Equal(614_400, fields["used"].Integer);
        Assert.Equal(3, fields["huge_pages_total"].Integer);
        Assert.Equal(2_097_152, fields["huge_page_size"].Integer);
        Assert.Equal(0, fields["active"].Integer);
        Assert.Equal(57 * 1024, fields["cached"].Integer);
        Assert.Equal(7 * 1024, fields["sreclaimable"].Integer);
        Assert.Equal(60.0, fields["used_percent"].Float);
        Assert.Equal(40.0, fields["available_percent"].Float);
    }

    [Fact]
    public void Read_NoMemoryAvailable_IsToldWhenItIsNeededMost()
    {
        using var proc = new TemporaryDirectory();
        proc.Write("meminfo", "MemTotal: 1000 kB\nMemAvailable: 0 kB\n");

        var fields = Assert.Single(new MemProbe(proc.Path).Points()).Fields.ToDictionary(field => field.Name);

        Assert.Equal(0, fields["available"].Integer);
        Assert.Equal(100.0, fields["used_percent"].Float);
    }

    [Theory]
    [InlineData("MemTotal: 1000 kB\n")]
    [InlineData("MemAvailable: 1000 kB\n")]
    public void Read_MemInfoThatLacksWhatAllIsMeasuredBy_Fails(string text)
    {
        using var proc = new TemporaryDirectory();
        proc.Write("meminfo", text);

        Assert.Throws<FormatException>(() => new MemProbe(proc.Path).Points());
    }

    [Fact]
    public void Read_MemInfoWithoutTotal_Fails()
    {
        using var proc = new TemporaryDirectory();
        proc.Write("meminfo", "nonsense\n");

        Assert.Throws<FormatException>(() => new MemProbe(proc.Path).Points());
    }
}
