using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

public sealed class ScanPlanTests
{
    [Fact]
    public void Under_PolicyThatLeavesOutWhatTheMachineNames_SaysSo()
    {
        using var root = new TemporaryDirectory();
        root.Write("srv/data/a", "");
        root.Write("etc/b", "");
        var policy = new Policy { Name = "test", Exclude = [EntryKey.Of("srv")] };

        var sighting = Look(root.Path, policy, ["/srv/data", "/etc"]);

        var gap = Assert.Single(sighting.Coverage.Gaps);
        Assert.Equal(EntryKey.OfPath("/srv/data"), gap.Prefix);
        Assert.Contains("policy", gap.Reason, StringComparison.Ordinal);
        Assert.Equal(2, sighting.Entries);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/etc")]
    [InlineData("/etc/b")]
    public void Under_PolicyThatLooksAtPartOrAllOfIt_HasNoGap(string include)
    {
        using var root = new TemporaryDirectory();
        root.Write("etc/b", "");

        Assert.Empty(Look(root.Path, new Policy { Name = "test", Include = [EntryKey.Of("etc")] }, [include]).Coverage.Gaps);
    }

    private static Sighting Look(string root, Policy policy, string[] include)
    {
        var plan = new ScanPlan(root) { Local = WatchScope.Of(root, include, []), Packages = false };
        return plan.Under(policy, Scans.Key, Scans.LaterClock()).Run(new MemoryTarget(), new ScanProgress(), TestContext.Current.CancellationToken);
    }
}
