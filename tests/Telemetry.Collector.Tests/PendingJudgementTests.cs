using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests;

/// <summary>Whoever is to be judged anew is, though the collector dies in the middle of it.</summary>
public sealed class PendingJudgementTests : IDisposable
{
    private const string Lenient = "name = \"lenient\"\n[[rules]]\nmatch = [\"/srv\"]\ntreat = \"presence\"\n";

    /// <summary>More than are judged together.</summary>
    private const int Instances = 70;

    private readonly DyingPipeline _pipeline = new();
    private readonly Collector _collector;

    public PendingJudgementTests() => _collector = new Collector(_pipeline);

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("capture", 0)]
    [InlineData("compose", 0)]
    [InlineData("retire", Instances)]
    [InlineData("bind", Instances)]
    [InlineData("policy of the line", 0)]
    [InlineData("policies set", 0)]
    [InlineData("approve", 0)]
    public async Task Change_InterruptedMidway_IsJudgedToItsEndAfterTheRestart(string change, int open)
    {
        var healthy = new CertifiedInstance(_collector, "healthy");
        var tampered = new CertifiedInstance(_collector, "tampered");
        tampered.Tamper();
        var isOfTheFleetTampered = change is not ("retire" or "bind");
        for (var i = 0; i < Instances; i++)
            Join(i, change == "bind" ? "none" : "shop", isOfTheFleetTampered ? tampered.Tree : healthy.Tree);
        if (change != "bind")
            _collector.Baselines.Bind(Some.Binding(Selector.Tag, "line=shop"));
        Prepare(change);
        Assert.Equal(isOfTheFleetTampered ? Instances : 0, OpenOfFleet());

        _pipeline.IsToDie = true;
        Assert.Throws<DiedException>(() => Make(change));
        _collector.Restart();
        var left = Left();
        var early = OpenOfFleet();
        using var timer = new DueTimer(_collector.Store, _collector.Pipeline, _collector.Feed, _collector.Time, NullLogger<DueTimer>.Instance);
        await timer.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.True(() => Left() == 0, "all to be judged", TestContext.Current.CancellationToken);

        Assert.InRange(left, 1, Instances - 1);
        Assert.InRange(early, 1, Instances - 1);
        Assert.Equal(open, OpenOfFleet());
    }

    [Fact]
    public void Change_ThatEnds_LeavesNobodyAndJudgedEachOnce()
    {
        var instances = Enumerable.Range(0, 40).Select(i => new CertifiedInstance(_collector, $"i-{i}")).ToList();
        foreach (var instance in instances)
            instance.Tamper();

        _collector.Baselines.Capture(new VersionName("shop", "2"), "i-0");
        _collector.Pipeline.JudgePending();

        Assert.Equal(0, Left());
        Assert.Equal(2 * instances.Count, _collector.Events().Count);
    }

    [Fact]
    public void Instance_ThatComesBackWithOtherTags_IsJudgedByTheirLineAtOnce()
    {
        var tampered = new CertifiedInstance(_collector, "tampered");
        _collector.Baselines.Bind(Some.Binding(Selector.Tag, "line=shop"));
        tampered.Tamper();
        _collector.Baselines.Capture(new VersionName("other", "1"), "tampered");
        _collector.Baselines.Bind(Some.Binding(Selector.Tag, "line=other", "other"));
        Join(1, "shop", FileTree.OfSize(500));
        Assert.Equal(0, OpenOfFleet());

        Hello(1, "other");

        Assert.Equal(1, OpenOfFleet());
        Assert.Equal(0, Left());
    }

    private void Prepare(string change)
    {
        if (change == "policy of the line")
            _collector.PolicyRegistry.Set(Lenient, "p.toml", "admin");
        if (change == "compose")
            _collector.Layers.Create(new VersionName("fix", "1"), "acme", "shop:1", "tampered", "", "default");
        if (change is "retire")
            _collector.Baselines.Capture(new VersionName("shop", "2"), "tampered");
        if (change is "bind")
            _collector.Baselines.Capture(new VersionName("other", "1"), "tampered");
    }

    private void Make(string change)
    {
        switch (change)
        {
            case "capture":
                _collector.Baselines.Capture(new VersionName("shop", "2"), "tampered");
                break;
            case "compose":
                _collector.Baselines.Compose(
                    new VersionName("shop", "2"), new VersionName("shop", "1"), [new VersionName("fix", "1")], new Dictionary<string, string>());
                break;
            case "retire":
                _collector.Baselines.Retire(new VersionName("shop", "1"));
                break;
            case "bind":
                _collector.Baselines.Bind(Some.Binding(Selector.Tag, "line=none", "other"));
                break;
            case "policy of the line":
                _collector.Baselines.SetPolicy("shop", "lenient");
                break;
            case "policies set":
                _collector.PolicyRegistry.Set(Lenient.Replace("lenient", "default", StringComparison.Ordinal), "p.toml", "admin");
                break;
            default:
                _collector.Decisions.Approve(
                    new DecisionScope([], InstanceId: "tampered"), new VersionName("hotfix", "1"), null, "anna", "as intended");
                break;
        }
    }

    private void Join(int number, string line, FileTree tree) => Hello(number, line).Report(tree);

    private FakeAgent Hello(int number, string line) => new FakeAgent(_collector.NewStream(), $"fleet-{number}").Hello(tags: [("line", line)]);

    private long Left() => _collector.Store.Read(transaction => transaction.Pending.Count());

    private int OpenOfFleet() => _collector.Deviations(openOnly: true).Count(deviation => deviation.InstanceId.StartsWith("fleet-", StringComparison.Ordinal));

    private sealed class DiedException : Exception;

    /// <summary>Ends, when it is to, as soon as it tells of the first judgement: what was begun with that is still written, and nothing else.</summary>
    private sealed class DyingPipeline : ILogger<Pipeline>
    {
        public bool IsToDie { get; set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsToDie)
                return;
            IsToDie = false;
            throw new DiedException();
        }
    }
}
