using Telemetry.Agent.Scan;

namespace Telemetry.Agent.Tests.Scan;

public sealed class WatchScopeTests
{
    [Theory]
    [InlineData("/", "/var/lib/telemetry-agent", "/var/lib/telemetry-agent")]
    [InlineData("/mnt/image", "/mnt/image/var/lib/agent", "/var/lib/agent")]
    [InlineData("/mnt/image", "/var/lib/telemetry-agent", null)]
    [InlineData("/mnt", "/mnt2/agent", null)]
    public void Own_StateBelowTheRoot_IsWhereTheRootSeesIt(string root, string state, string? own)
    {
        var options = AgentOptions.Load(null, new Dictionary<string, string>
        {
            ["TELEMETRY_AGENT__ROOT"] = root,
            ["TELEMETRY_AGENT__STATE_DIRECTORY"] = state,
        });

        Assert.Equal(own is null ? [] : [own], WatchScope.Own(options));
    }
}
