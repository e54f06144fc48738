using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Health;
using Telemetry.Agent.Tests.Health;
using Telemetry.Agent.Tests.Spool;
using Telemetry.Protocol.Layers;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Checks;

public sealed class CheckLoopTests : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), NoTime = TimeSpan.FromHours(1);

    private readonly Spools _spools = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly ConcurrentQueue<HealthSample> _samples = [];

    public CheckLoopTests() => Shell.Run("/", $"chmod 777 '{_directory.Path}'");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _directory.Dispose();
        _spools.Dispose();
    }

    [Fact]
    public async Task Check_ThatHangs_KeepsNoOtherWaiting()
    {
        using var loop = await Start(isWanted: true, Check("hangs", NoTime, "exec sleep 1000"), Check("works", NoTime, "exit 0"));

        await Advance(() => Samples("works").Count >= 3, "the other to be run again and again");

        Assert.Empty(Samples("hangs"));
        await loop.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Checks_ThatHang_TakeNoMoreThanTheirPlaces()
    {
        var checks = Enumerable.Range(0, CheckLoop.MostAtOnce + 4).Select(i =>
            Check($"c{i}", NoTime, $"touch '{_directory[$"began.{i}"]}'; until [ -e '{_directory[$"gate.{i}"]}' ]; do sleep 0.05; done; exit 0")).ToArray();
        using var loop = await Start(isWanted: true, checks);
        await Advance(() => Began().Count >= CheckLoop.MostAtOnce, "the first to run");
        Assert.Equal(CheckLoop.MostAtOnce, Began().Count);

        await File.WriteAllTextAsync(_directory["gate." + Began()[0]], "", Cancellation);
        await Advance(() => Began().Count > CheckLoop.MostAtOnce, "another one to take the place of the one that ended");

        Assert.Equal(CheckLoop.MostAtOnce + 1, Began().Count);
        await loop.StopAsync(Cancellation);

        List<string> Began() => [.. Directory.GetFiles(_directory.Path, "began.*").Select(file => file[(file.LastIndexOf('.') + 1)..])];
    }

    [Fact]
    public async Task Runs_OfOneCheck_HaveEachATimeOfItsOwn()
    {
        using var loop = await Start(isWanted: true, Check("load", NoTime, "echo 'fine | a=1;;;0'"));

        await Advance(() => Samples("load").Count >= 4, "some runs");

        await loop.StopAsync(Cancellation);
        var samples = Samples("load");
        Assert.Equal(samples.Count, samples.Select(sample => sample.Time).Distinct().Count());
        Assert.All(samples, sample => Assert.Equal(["state", "value"], sample.Points.Select(point => point.Fields[0].Name)));
    }

    [Fact]
    public async Task Results_ThatNobodyWants_AreNotKept()
    {
        var (queue, loop) = New(Check("works", NoTime, "echo x >> '" + _directory["runs"] + "'"));
        using var running = loop;
        queue.Begin(isWanted: false, 0, 0, isPresenceWanted: true);
        await loop.StartAsync(Cancellation);
        await Advance(() => File.Exists(_directory["runs"]) && File.ReadAllLines(_directory["runs"]).Length >= 3, "some runs");
        Assert.Empty(_samples);

        queue.Begin(isWanted: true, 0, 0);
        var began = _spools.Clock.GetUtcNow();
        await Advance(() => !_samples.IsEmpty, "what is wanted from now on");

        Assert.True(_samples.First().Time >= began);
        await loop.StopAsync(Cancellation);
    }

    private async Task<CheckLoop> Start(bool isWanted, params DeclaredCheck[] checks)
    {
        var (queue, loop) = New(checks);
        queue.Begin(isWanted, 0, 0);
        await loop.StartAsync(Cancellation);
        return loop;
    }

    private (HealthQueue Queue, CheckLoop Loop) New(params DeclaredCheck[] checks)
    {
        var spool = _spools.Open();
        var queue = new HealthQueue(
            spool.Health,
            sample =>
            {
                _samples.Enqueue(sample);
                return [new HealthPart(sample.Points.Count, [])];
            },
            hasCollector: true,
            NullLogger<HealthQueue>.Instance);
        var runner = new CheckRunner(new CheckOptions { AreEnabled = true, Layers = "/none", User = "nobody", Memory = 256 << 20 });
        return (queue, new CheckLoop(
            new LayerChecks(checks, []), runner, new CheckLog(spool.Checks, _ => [], _spools.Clock), queue, _spools.Clock, NullLogger<CheckLoop>.Instance));
    }

    private static DeclaredCheck Check(string name, TimeSpan timeout, string script) =>
        new("web", null, new LayerCheck(name, ["/bin/sh", "-c", script], Second, timeout));

    private List<HealthSample> Samples(string check) => [.. _samples.Where(sample => sample.Points[0].Tag("check") == check)];

    private Task Advance(Func<bool> condition, string awaited) => Eventually.True(
        () =>
        {
            _spools.Clock.Advance(TimeSpan.FromMilliseconds(250));
            return condition();
        },
        awaited, Cancellation);
}
