using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

public sealed class PipelineTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly FileTree _tree = FileTree.OfSize(500);

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Change_OfACertifiedInstance_OpensADeviationWithBothSides()
    {
        var agent = Certified();

        _tree["/srv/1/1"] = Some.File("tampered");
        agent.Report(_tree, sequence: 2);

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Equal(EntryKey.OfPath("/srv/1/1"), deviation.Key);
        Assert.Equal(Some.File("content 1"), Fingerprint.Decode(deviation.Expected));
        Assert.Equal(Some.File("tampered"), Fingerprint.Decode(deviation.Actual));
        Assert.Equal(DeviationState.Open, deviation.State);
        Assert.Equal(Some.Time.AddSeconds(-10), deviation.ObservedAfter);
    }

    [Fact]
    public void Change_ThatIsReverted_ClosesItsEpisodeAndALaterOneIsAnother()
    {
        var agent = Certified();
        Tamper(agent, 2);

        _tree["/srv/1/1"] = Some.File("content 1");
        agent.Report(_tree, sequence: 3);
        Tamper(agent, 4);

        Assert.Equal(
            [DeviationState.Resolved, DeviationState.Open],
            _collector.Deviations().Select(deviation => deviation.State));
        Assert.Equal(
            [TransitionKind.Opened, TransitionKind.Closed, TransitionKind.Opened],
            _collector.Events().Select(stored => stored.Kind));
    }

    [Fact]
    public void Change_OfAnOpenDeviation_IsATransitionOfTheSameEpisode()
    {
        var agent = Certified();
        Tamper(agent, 2);

        _tree["/srv/1/1"] = Some.File("tampered again");
        agent.Report(_tree, sequence: 3);

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Equal(2, deviation.Transitions);
        Assert.Equal(Some.File("tampered again"), Fingerprint.Decode(deviation.Actual));
        Assert.Equal([TransitionKind.Opened, TransitionKind.Changed], _collector.Events().Select(stored => stored.Kind));
    }

    [Fact]
    public void Deviation_WhoseKeyIsNoLongerCovered_StaysOpen()
    {
        var agent = Certified();
        Tamper(agent, 2);

        _tree["/srv/1/1"] = Some.File("content 1");
        var gap = new Gap(EntryKind.File, EntryKey.OfPath("/srv/1"), "unreadable");
        agent.Report(_tree, sequence: 3, coverage: Some.Coverage with { Gaps = [gap] });

        Assert.True(Assert.Single(_collector.Deviations()).IsOpen);
        Assert.Contains("/srv/1", _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EntryState.Unreadable)]
    [InlineData(EntryState.Unstable)]
    [InlineData(EntryState.Pending)]
    public void Entry_ThatCouldNotBeRead_NeitherOpensNorCloses(EntryState state)
    {
        var agent = Certified();
        Tamper(agent, 2);

        _tree["/srv/1/1"] = Some.File() with { State = state, Content = null };
        _tree["/srv/2/2"] = Some.File() with { State = state, Content = null };
        agent.Report(_tree, sequence: 3);

        var deviation = Assert.Single(_collector.Deviations());
        Assert.True(deviation.IsOpen);
        Assert.Equal(Some.File("tampered"), Fingerprint.Decode(deviation.Actual));
    }

    [Fact]
    public void NewVersion_OfTheLine_JudgesAnewWithoutAskingTheAgent()
    {
        var agent = Certified();
        Tamper(agent, 2);

        _collector.Baselines.Capture(BaselineName.TryParse("shop:2")!, "i-1");

        Assert.False(Assert.Single(_collector.Deviations()).IsOpen);
    }

    [Fact]
    public void Version_WithOtherContent_IsRefused()
    {
        var agent = Certified();
        _collector.Baselines.Capture(BaselineName.TryParse("shop:1")!, "i-1");
        Tamper(agent, 2);

        var refusal = Assert.Throws<BaselineException>(() => _collector.Baselines.Capture(BaselineName.TryParse("shop:1")!, "i-1"));

        Assert.Contains("versions never change", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryTransition_AfterARestart_IsStillInTheOutbox()
    {
        var agent = Certified();
        Tamper(agent, 2);

        _collector.Restart();

        var stored = Assert.Single(_collector.Events());
        Assert.Equal((1, TransitionKind.Opened), (stored.Number, stored.Kind));
    }

    private FakeAgent Certified()
    {
        var agent = new FakeAgent(_collector.NewStream()).Hello();
        agent.Report(_tree);
        _collector.Certify("i-1");
        return agent;
    }

    private void Tamper(FakeAgent agent, ulong sequence)
    {
        _tree["/srv/1/1"] = Some.File("tampered");
        agent.Report(_tree, sequence);
    }
}
