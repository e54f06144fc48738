using Microsoft.Extensions.Logging;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

/// <summary>An instance that covers less than its baseline deviates nowhere there, which must not look as if it were as certified.</summary>
public sealed class LostCoverageTests : IDisposable
{
    private static readonly Coverage Narrow = Some.Coverage with { Scope = new Scope([EntryKey.OfPath("/srv/1")], []) };

    private readonly Lines<Pipeline> _log = new();
    private readonly Collector _collector;
    private readonly CertifiedInstance _instance;

    public LostCoverageTests()
    {
        _collector = new Collector(_log);
        _instance = new CertifiedInstance(_collector);
    }

    private List<string> Warnings => [.. _log.All.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text)];

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Coverage_ThatReachesItsBaselineNoMore_IsLoggedOnceWithWhatIsNotCompared()
    {
        Assert.Empty(Warnings);

        _instance.Report(Narrow);
        _instance.Tree[CertifiedInstance.File] = Some.File("tampered");
        _instance.Report(Narrow);
        _collector.Restart();
        _instance.Reconnect();
        _instance.Report(Narrow);

        Assert.Contains("i-1 covers less than its baseline shop:1", Assert.Single(Warnings), StringComparison.Ordinal);
        Assert.Contains("files below / (only what is expected covers them)", Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Coverage_ThatIsLostAgain_IsLoggedAgain()
    {
        _instance.Report(Narrow);
        _instance.Report();
        _instance.Report(Narrow);
        _instance.Report(Narrow with { Scanners = [Narrow.Scanners[0]] });

        Assert.Equal(3, Warnings.Count);
    }

    [Fact]
    public void Coverage_ThatIsMoreThanTheBaselines_IsNoLoss()
    {
        _instance.Report(Some.SettingCoverage);

        Assert.Empty(Warnings);
    }

    [Fact]
    public async Task Coverage_ThatIsLost_IsToldWithTheInstance()
    {
        _instance.Report(Narrow);

        var fleet = new FleetGrpcService(_collector.Store, _collector.Policies, _collector.Seals, _collector.Agents, _collector.Time);
        var listed = Assert.Single((await fleet.ListInstances(new Protocol.V1.ListInstancesRequest(), null!)).Instances);

        Assert.Equal("not compared: files below / (only what is expected covers them)", InstanceView.Of(listed).Comparison);
    }
}
