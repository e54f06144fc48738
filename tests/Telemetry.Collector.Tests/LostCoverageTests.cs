using Microsoft.Extensions.Logging;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

/// <summary>An instance that covers less than its baseline deviates nowhere there, which must not look as if it were as certified.</summary>
public sealed class LostCoverageTests : IDisposable
{
    private static readonly Coverage Narrow = Some.Coverage with { Scope = new Scope([EntryKey.OfPath("/srv/1")], []) };

    private readonly Warnings _log = new();
    private readonly Collector _collector;
    private readonly CertifiedInstance _instance;

    public LostCoverageTests()
    {
        _collector = new Collector(_log);
        _instance = new CertifiedInstance(_collector);
    }

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Coverage_ThatReachesItsBaselineNoMore_IsLoggedOnceWithWhatIsNotCompared()
    {
        Assert.Empty(_log.Texts);

        _instance.Report(Narrow);
        _instance.Tree[CertifiedInstance.File] = Some.File("tampered");
        _instance.Report(Narrow);
        _collector.Restart();
        _instance.Reconnect();
        _instance.Report(Narrow);

        Assert.Contains("i-1 covers less than its baseline shop:1", Assert.Single(_log.Texts), StringComparison.Ordinal);
        Assert.Contains("files below / (only what is expected covers them)", _log.Texts[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Coverage_ThatIsLostAgain_IsLoggedAgain()
    {
        _instance.Report(Narrow);
        _instance.Report();
        _instance.Report(Narrow);
        _instance.Report(Narrow with { Scanners = [Narrow.Scanners[0]] });

        Assert.Equal(3, _log.Texts.Count);
    }

    [Fact]
    public void Coverage_ThatIsMoreThanTheBaselines_IsNoLoss()
    {
        _instance.Report(Some.SettingCoverage);

        Assert.Empty(_log.Texts);
    }

    [Fact]
    public async Task Coverage_ThatIsLost_IsToldWithTheInstance()
    {
        _instance.Report(Narrow);

        var fleet = new FleetGrpcService(_collector.Store, _collector.Policies, _collector.Seals, _collector.Agents, _collector.Time);
        var listed = Assert.Single((await fleet.ListInstances(new Protocol.V1.ListInstancesRequest(), null!)).Instances);

        Assert.Equal("not compared: files below / (only what is expected covers them)", InstanceView.Of(listed).Comparison);
    }

    private sealed class Warnings : ILogger<Pipeline>
    {
        public List<string> Texts { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                Texts.Add(formatter(state, exception));
        }
    }
}
