using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using Membership = Telemetry.Protocol.V1.Membership;

namespace Telemetry.Collector.Tests.Deviations;

/// <summary>Who decides about all of an instance or a cause looks at few of them: what somebody decided on before takes a name.</summary>
public sealed class EarlierDecisionTests : IDisposable
{
    private const string Waived = CertifiedInstance.File, Other = "/srv/2/2", Hosts = "/etc/hosts", Setting = "setting:/etc/hosts#127.0.0.1";

    private static readonly VersionName Into = new("fix", "1");
    private static readonly DateTimeOffset Until = Some.Time.AddDays(1);

    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;

    public EarlierDecisionTests() => _instance = new CertifiedInstance(_collector);

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Approval_OfAll_LeavesOutWhatIsWaived_AndSaysWhoWaivedIt(bool byCause, bool withOutliers)
    {
        TamperWithTwo();
        Waive(Waived);

        var approved = _collector.Decisions.Approve(byCause ? OfCause(withOutliers) : OfInstance, Into, null, "nightly", "all");

        Assert.Equal((1, Some.File("other")), (approved.Deviations, Expected(approved, Other)));
        Assert.Equal(Some.File("content 1"), Expected(approved, Waived));
        Assert.Equal((DeviationState.Waived, true), (Of(Waived).State, Of(Waived).IsOpen));
        var leftOut = Assert.Single(approved.LeftOut);
        Assert.Equal((Of(Waived).Id, "waived until 2026-03-04 10:00:00Z by anna: never approve this", true), (leftOut.Deviation.Id, leftOut.Reason, leftOut.NeedsId));
    }

    [Fact]
    public void Approval_OfAll_TakesInWhatIsAcknowledged()
    {
        TamperWithTwo();
        _collector.Decisions.Acknowledge(Only(Waived), "anna", "seen");

        var approved = _collector.Decisions.Approve(OfInstance, Into, null, "bert", "all");

        Assert.Equal((2, 0), (approved.Deviations, approved.LeftOut.Count));
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Approval_ByItsId_TakesInWhatIsWaived()
    {
        TamperWithTwo();
        Waive(Waived);

        var approved = _collector.Decisions.Approve(Only(Waived), Into, null, "anna", "after all");

        Assert.Equal((Some.File("waived"), 0), (Expected(approved, Waived), approved.LeftOut.Count));
    }

    [Fact]
    public void Approval_OfAll_TakesInWhatIsWaivedNoMore_ThoughNobodyNotedThat()
    {
        TamperWithTwo();
        Waive(Waived);
        _collector.Time.SetUtcNow(Until);

        Assert.Equal(2, _collector.Decisions.Approve(OfInstance, Into, null, "anna", "all").Deviations);
    }

    [Fact]
    public void Waiver_OfAll_LeavesAnothersWaiverAsItIs_AndTakesInWhatIsAcknowledged()
    {
        TamperWithTwo();
        Waive(Waived);
        _collector.Decisions.Acknowledge(Only(Other), "anna", "seen");

        var waived = _collector.Decisions.Waive(OfInstance, Until.AddDays(365), "bert", "all");

        Assert.Equal((Until, Until.AddDays(365)), (Of(Waived).DecidedUntil, Of(Other).DecidedUntil));
        Assert.Equal(Of(Waived).Id, Assert.Single(waived.LeftOut).Deviation.Id);
    }

    [Fact]
    public void Acknowledgement_OfAll_IsAboutWhatNobodyDecidedOn()
    {
        TamperWithTwo();
        _instance.Tree["/srv/3/3"] = Some.File("third");
        _instance.Report();
        Waive(Waived);
        _collector.Decisions.Acknowledge(Only(Other), "anna", "ticket 7");

        var acknowledged = _collector.Decisions.Acknowledge(OfInstance, "bert", "ticket 8");

        Assert.Equal((DeviationState.Waived, Of("/srv/3/3").DecisionId), (Of(Waived).State, acknowledged.Decision.Id));
        Assert.NotEqual(acknowledged.Decision.Id, Of(Other).DecisionId);
        Assert.Equal([Of(Waived).Id, Of(Other).Id], acknowledged.LeftOut.Select(left => left.Deviation.Id));
    }

    [Fact]
    public void Decision_OfAll_WhenNothingIsLeft_IsRefusedAndNamesTheFirst()
    {
        _instance.Tamper("waived");
        Waive(Waived);

        foreach (var scope in new[] { OfInstance, OfCause(withOutliers: true) })
        {
            var refused = Assert.Throws<DecisionException>(() => _collector.Decisions.Approve(scope, Into, null, "nightly", "all"));
            Assert.Contains(Deviation.IdText(Of(Waived).Id), refused.Message, StringComparison.Ordinal);
            Assert.Contains("never approve this", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("--with-outliers", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal((DeviationState.Waived, true), (Of(Waived).State, Of(Waived).IsOpen));
        Assert.Null(_collector.Store.Read(transaction => transaction.Layers.Find(Into)));
    }

    /// <summary>Who approves a file approves what it holds, and a setting is part of what its file is.</summary>
    [Theory]
    [InlineData(Hosts)]
    [InlineData(Setting)]
    public void Approval_OfAll_LeavesOutAFileOfWhichAPartIsWaived_AndAWaiverDoesNot(string waived)
    {
        TamperWithSettings();
        Waive(waived);

        var approved = _collector.Decisions.Approve(OfInstance, Into, null, "nightly", "all");

        Assert.Equal((1, Some.File("other")), (approved.Deviations, Expected(approved, Other)));
        Assert.Equal([Hosts, Setting], approved.LeftOut.Select(left => KeyText.Format(left.Deviation.Kind, left.Deviation.Key.Bytes)).Order());
        Assert.All(approved.LeftOut, left => Assert.True(left.NeedsId));
        Assert.Equal(2, _collector.Deviations(openOnly: true).Count);

        Assert.Equal(Of(waived).Id, Assert.Single(_collector.Decisions.Waive(OfInstance, Until, "anna", "the rest")!.LeftOut).Deviation.Id);
    }

    [Fact]
    public void Approval_OfACause_WhoseFileHoldsAWaivedSettingOfAnother_LeavesTheFileOut()
    {
        TamperWithSettings();
        Waive(Setting);
        _collector.Alter("UPDATE deviations SET cause_id = (SELECT min(id) FROM causes WHERE id <> cause_id) WHERE kind = 3");
        var scope = new DecisionScope([], Of(Hosts).CauseId);

        var approved = _collector.Decisions.Approve(scope, Into, null, "nightly", "all");

        Assert.Equal([Of(Hosts).Id], approved.LeftOut.Select(left => left.Deviation.Id));
        Assert.Equal(Some.File("a"), Expected(approved, Hosts));
    }

    private void TamperWithTwo() => _instance.Tamper(
        new Changes().In(Changes.Upgrade()).Made(Waived, Some.File("waived"), Membership.Verified).Made(Other, Some.File("other"), Membership.Verified));

    private void TamperWithSettings()
    {
        _instance.Tree[Hosts] = Some.File("a");
        _instance.Tree.Setting("/etc/hosts#127.0.0.1", "localhost");
        _instance.Report(Some.SettingCoverage);
        _collector.Baselines.Capture(new VersionName("shop", "2"), _instance.Id);
        _instance.Tree[Hosts] = Some.File("b");
        _instance.Tree[Other] = Some.File("other");
        _instance.Tree.Setting("/etc/hosts#127.0.0.1", "other");
        _instance.Report(Some.SettingCoverage);
    }

    private void Waive(string name) => _collector.Decisions.Waive(Only(name), Until, "anna", "never approve this");

    private Deviation Of(string name) => _collector.Deviations().Last(deviation => KeyText.Format(deviation.Kind, deviation.Key.Bytes) == name);

    private DecisionScope Only(string name) => new([Of(name).Id]);

    private DecisionScope OfInstance => new([], InstanceId: _instance.Id);

    private DecisionScope OfCause(bool withOutliers) => new([], Of(Waived).CauseId, WithOutliers: withOutliers);

    private Fingerprint? Expected(Approved approved, string path) =>
        _collector.Store.Read(transaction => TreeReader.Find(transaction.Nodes, approved.Baseline.Roots.File, EntryKey.OfPath(path)));
}
