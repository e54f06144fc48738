using Telemetry.Agent.StatusReports;

namespace Telemetry.Agent.Tests.StatusReports;

public sealed class StatusSocketTests
{
    [Theory]
    [InlineData(null, "/state/agent.sock")]
    [InlineData("", "/state/agent.sock")]
    [InlineData("/run/telemetry", "/run/telemetry/agent.sock")]
    [InlineData("/run/telemetry:/run/other", "/run/telemetry/agent.sock")]
    public void Socket_LiesWhereSystemdSaysElseBesideTheState(string? runtimeDirectory, string expected) =>
        Assert.Equal(expected, StatusSocket.ServedAt("/state", runtimeDirectory));

    [Theory]
    [InlineData(null)]
    [InlineData("/run/telemetry")]
    [InlineData("/run/other")]
    public void Socket_IsSearchedWhereItIsServed(string? runtimeDirectory)
    {
        Assert.Contains(StatusSocket.ServedAt("/state", runtimeDirectory), StatusSocket.SearchedAt("/state", runtimeDirectory));
        Assert.Contains("/run/telemetry/agent.sock", StatusSocket.SearchedAt("/state", runtimeDirectory));
    }
}
