using Microsoft.Extensions.Time.Testing;
using Telemetry.Agent.Identity;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Identity;

public sealed class BootTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Read_OfAKernel_IsItsIdAndWhenItStarted()
    {
        using var proc = new TemporaryDirectory();
        proc.Write("uptime", "60.50 12.00\n");
        proc.Write("sys/kernel/random/boot_id", "0b8a\n");

        Assert.Equal(new Boot("0b8a", Now - TimeSpan.FromSeconds(60.5)), Boot.Read(new FakeTimeProvider(Now), proc.Path));
    }

    [Fact]
    public void Read_WithoutProc_IsUnknown()
    {
        Assert.Equal(new Boot("", null), Boot.Read(new FakeTimeProvider(Now), "/nowhere"));
    }
}
