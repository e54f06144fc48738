using Telemetry.Collector.Deviations;

namespace Telemetry.Collector.Tests;

/// <summary>An instance that flips to and fro between states that differ much keeps nobody else from being judged.</summary>
public sealed class FlippingInstanceTests : IDisposable
{
    private const int AllAtOnce = 500_000, PerSecond = 100;

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void State_AfterTooManyTransitions_IsKeptAndTheNewestJudgedLater()
    {
        CertifiedInstance flipping = new(_collector), other = new(_collector, "i-2");
        _collector.Pipeline.Rates.Take("i-1", AllAtOnce + (60 * PerSecond));

        flipping.Tamper("a");
        flipping.Heal();
        flipping.Tamper("b");
        other.Tamper();
        var early = _collector.Deviations();
        var told = Comparison();
        _collector.Time.Advance(TimeSpan.FromSeconds(60));
        _collector.Pipeline.JudgePending();

        Assert.Equal(["i-2"], early.Select(deviation => deviation.InstanceId));
        Assert.Equal("Its states change too much to judge each of them. The newest is judged at 2026-03-03 10:01:00Z.", told);
        var late = Assert.Single(_collector.Deviations(), deviation => deviation.InstanceId == "i-1");
        Assert.Equal(Some.File("b").Encode(), late.Actual);
        Assert.Equal(4, _collector.Scalar("SELECT COUNT(*) FROM heads WHERE instance_id = 'i-1'"));
        Assert.Equal("", Comparison());
    }

    [Fact]
    public void Transitions_ThatAStateMakes_Count()
    {
        var flipping = new CertifiedInstance(_collector);
        _collector.Pipeline.Rates.Take("i-1", AllAtOnce);

        flipping.Tamper();
        flipping.Heal();

        Assert.Equal(DeviationState.Open, Assert.Single(_collector.Deviations()).State);
        _collector.Time.Advance(TimeSpan.FromSeconds(1));
        flipping.Report();
        Assert.Equal(DeviationState.Resolved, Assert.Single(_collector.Deviations()).State);
    }

    [Fact]
    public void Decision_AboutSuchAnInstance_HasItJudgedAtOnce()
    {
        var flipping = new CertifiedInstance(_collector);
        _collector.Pipeline.Rates.Take("i-1", 2 * AllAtOnce);
        flipping.Tamper();

        _collector.Baselines.SetPolicy("shop", "default");

        Assert.Single(_collector.Deviations());
    }

    private string Comparison() => _collector.Store.Read(transaction => transaction.Instances.Find("i-1")!.Comparison);
}
