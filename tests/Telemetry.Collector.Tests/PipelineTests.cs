using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

public sealed class PipelineTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Change_OfACertifiedInstance_OpensADeviationWithBothSides()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tamper();

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
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        instance.Heal();
        instance.Tamper();

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
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        instance.Tamper("tampered again");

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Equal(2, deviation.Transitions);
        Assert.Equal(Some.File("tampered again"), Fingerprint.Decode(deviation.Actual));
        Assert.Equal([TransitionKind.Opened, TransitionKind.Changed], _collector.Events().Select(stored => stored.Kind));
    }

    [Fact]
    public void Deviation_WhoseKeyIsNoLongerCovered_StaysOpen()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        instance.Tree[CertifiedInstance.File] = Some.File("content 1");
        var gap = new Gap(EntryKind.File, EntryKey.OfPath("/srv/1"), "unreadable");
        instance.Report(Some.Coverage with { Gaps = [gap] });

        Assert.True(Assert.Single(_collector.Deviations()).IsOpen);
        Assert.Contains("/srv/1", _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(EntryState.Unreadable)]
    [InlineData(EntryState.Unstable)]
    [InlineData(EntryState.Pending)]
    public void Entry_ThatCouldNotBeRead_NeitherOpensNorCloses(EntryState state)
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        instance.Tree[CertifiedInstance.File] = Some.File() with { State = state, Content = null };
        instance.Tree["/srv/2/2"] = Some.File() with { State = state, Content = null };
        instance.Report();

        var deviation = Assert.Single(_collector.Deviations());
        Assert.True(deviation.IsOpen);
        Assert.Equal(Some.File("tampered"), Fingerprint.Decode(deviation.Actual));
    }

    [Fact]
    public void Entry_ThatCouldNotBeRead_StillProvesWhatItsStatusSays()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tree["/srv/3/3"] = Some.File(mode: 0b100_111_101_101) with { State = EntryState.Unreadable, Content = null };
        instance.Tree["/srv/new"] = Some.File() with { State = EntryState.Pending, Content = null };
        instance.Tree["/srv/2/2"] = Some.File() with { State = EntryState.Unstable, Content = null };
        instance.Report();

        Assert.Equal(
            [EntryKey.OfPath("/srv/3/3"), EntryKey.OfPath("/srv/new")],
            _collector.Deviations().Select(deviation => deviation.Key));
        Assert.Equal(Severity.Critical, _collector.Deviations()[0].Severity);
        Assert.Contains("1 entry that", _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison, StringComparison.Ordinal);
    }

    [Fact]
    public void NewVersion_OfTheLine_JudgesAnewWithoutAskingTheAgent()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        _collector.Baselines.Capture(VersionName.TryParse("shop:2")!, "i-1");

        Assert.False(Assert.Single(_collector.Deviations()).IsOpen);
    }

    [Fact]
    public void Version_WithOtherContent_IsRefused()
    {
        var instance = new CertifiedInstance(_collector);
        _collector.Baselines.Capture(VersionName.TryParse("shop:1")!, "i-1");
        instance.Tamper();

        var refusal = Assert.Throws<BaselineException>(() => _collector.Baselines.Capture(VersionName.TryParse("shop:1")!, "i-1"));

        Assert.Contains("versions never change", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryTransition_AfterARestart_IsStillInTheOutbox()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        _collector.Restart();

        var stored = Assert.Single(_collector.Events());
        Assert.Equal((1, TransitionKind.Opened), (stored.Number, stored.Kind));
    }
}
