using Telemetry.Agent.Uplink;

namespace Telemetry.Agent.Tests.Uplink;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, 0.5, 1)]
    [InlineData(10, 1.0, 1.5)]
    [InlineData(12, 0.5, 4)]
    [InlineData(100, 0.0, 30)]
    [InlineData(100, 1.0, 90)]
    public void Delay_Failures_GrowsToItsCapAndJittersAfterIt(int failures, double jitter, double seconds)
    {
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.Delay(failures, jitter));
    }
}
