using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using Membership = Telemetry.Protocol.V1.Membership;

namespace Telemetry.Collector.Tests.Deviations;

/// <summary>An agent's word puts an entry into a cause; who approves the cause approves what its instances agree on.</summary>
public sealed class OutlierTests : IDisposable
{
    private const string Evil = "/opt/evil";
    private const uint Setuid = 0b100_111_101_101;
    private const uint Program = 0b111_101_101;

    private static readonly VersionName Into = new("apache", "2");

    private readonly Collector _collector = new();
    private readonly CertifiedInstance _honest;

    public OutlierTests() => _honest = new CertifiedInstance(_collector, "r1");

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void ForgedMember_OfOneInstance_IsLeftOutOfTheApprovalAndSaid()
    {
        var forger = new CertifiedInstance(_collector, "r2");
        _honest.Tamper(Upgrade());
        forger.Tamper(Upgrade().Made(Evil, Some.File("evil", Setuid), Membership.Verified));

        var approved = Approve();

        Assert.Equal(2, approved.Deviations);
        var outlier = Assert.Single(approved.LeftOut);
        Assert.Equal(("r2", EntryKey.OfPath(Evil), "on 1 of 2 instances"), (outlier.Deviation.InstanceId, outlier.Deviation.Key, outlier.Reason));
        Assert.Equal((EntryKey.OfPath(Evil), DeviationState.Open), Assert.Single(_collector.Deviations(openOnly: true).Select(deviation => (deviation.Key, deviation.State))));
        Assert.Null(Expected(approved, Evil));
    }

    [Fact]
    public void ForgedMember_AfterTheCauseWasApproved_IsNotWhatItsInstancesAgreeOn()
    {
        var forger = new CertifiedInstance(_collector, "r2");
        _honest.Tamper(Upgrade());
        Approve();
        forger.Tamper(Upgrade().Made(Evil, Some.File("evil"), Membership.Verified));

        var refused = Assert.Throws<DecisionException>(() => Approve(into: new VersionName("apache", "3")));

        Assert.Contains(Evil, refused.Message, StringComparison.Ordinal);
        Assert.Contains("--with-outliers", refused.Message, StringComparison.Ordinal);
        Assert.Equal(EntryKey.OfPath(Evil), Assert.Single(_collector.Deviations(openOnly: true)).Key);
    }

    [Fact]
    public void SetuidProgram_OfAllInstances_IsLeftOut_AndOneThatWasSetuidIsNot()
    {
        _honest.Tree["/usr/bin/sudo"] = Some.File("sudo 1", Setuid);
        _honest.Report();
        _collector.Baselines.Capture(new VersionName("shop", "2"), "r1");
        _honest.Tamper(Upgrade().Made("/usr/bin/sudo", Some.File("sudo 2", Setuid), Membership.Verified).Made(Evil, Some.File("evil", Setuid), Membership.Verified));

        var approved = Approve();

        Assert.Equal("becomes setuid or setgid", Assert.Single(approved.LeftOut).Reason);
        Assert.Equal(Some.File("sudo 2", Setuid), Expected(approved, "/usr/bin/sudo"));
        Assert.Null(Expected(approved, Evil));
    }

    [Fact]
    public void ProgramInNoPackagesList_OnTheOnlyInstance_IsLeftOut_AndWhatAnotherConfirmsIsNot()
    {
        Changes With() => Upgrade().Made("/usr/bin/made", Some.File("made", Program), Membership.Unverified);
        _honest.Tamper(With());
        Assert.Equal("/usr/bin/made", KeyText.Format(EntryKind.File, Assert.Single(Standing().Outliers).Deviation.Key.Bytes));

        new CertifiedInstance(_collector, "r2").Tamper(With());

        Assert.Empty(Standing().Outliers);
    }

    [Fact]
    public void SettingsOfAFileThatStandsOut_AreLeftOutWithIt()
    {
        new CertifiedInstance(_collector, "r2").Tamper(Upgrade());
        _honest.Tree["/etc/hosts"] = Some.File("a");
        _honest.Tree.Setting("/etc/hosts#127.0.0.1", "localhost");
        _honest.Report(Some.SettingCoverage);
        _collector.Baselines.Capture(new VersionName("shop", "2"), "r1");
        _honest.Tree.Setting("/etc/hosts#127.0.0.1", "other");
        var changes = Upgrade().Made("/etc/hosts", Some.File("b"), Membership.Verified);
        changes.ApplyTo(_honest.Tree);
        _honest.Tell(changes);
        _honest.Report(Some.SettingCoverage);

        var left = Approve().LeftOut;

        Assert.Equal([EntryKind.File, EntryKind.Setting], left.Select(outlier => outlier.Deviation.Kind).Order());
    }

    [Fact]
    public void Outliers_AskedFor_AreApprovedToo()
    {
        _honest.Tamper(Upgrade());
        new CertifiedInstance(_collector, "r2").Tamper(Upgrade().Made(Evil, Some.File("meant"), Membership.Verified));

        var approved = Approve(withOutliers: true);

        Assert.Empty(approved.LeftOut);
        Assert.Equal(Some.File("meant"), Expected(approved, Evil));
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    /// <summary>A waiver of a cause would hide it as an approval would.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Waiver_LeavesOutWhatStandsOut_UnlessItIsAskedFor(bool withOutliers)
    {
        _honest.Tamper(Upgrade());
        new CertifiedInstance(_collector, "r2").Tamper(Upgrade().Made(Evil, Some.File("evil"), Membership.Verified));
        var scope = new DecisionScope([], CauseId, WithOutliers: withOutliers);

        var acknowledged = _collector.Decisions.Acknowledge(scope, "anna", "seen");
        var waived = _collector.Decisions.Waive(scope, Some.Time.AddDays(1), "anna", "for now");

        string[] leftOut = withOutliers ? [] : [Evil];
        Assert.Equal(leftOut, acknowledged.LeftOut.Select(outlier => KeyText.Format(EntryKind.File, outlier.Deviation.Key.Bytes)));
        Assert.Equal(leftOut, waived.LeftOut.Select(outlier => KeyText.Format(EntryKind.File, outlier.Deviation.Key.Bytes)));
        Assert.Equal(leftOut.Length, _collector.Deviations(openOnly: true).Count(deviation => deviation.State == DeviationState.Open));
    }

    [Fact]
    public void Outlier_ThatIsNamed_IsApproved()
    {
        _honest.Tamper(Upgrade());
        new CertifiedInstance(_collector, "r2").Tamper(Upgrade().Made(Evil, Some.File("meant"), Membership.Verified));
        var named = _collector.Deviations(openOnly: true).Single(deviation => deviation.Key == EntryKey.OfPath(Evil));

        var approved = _collector.Decisions.Approve(new DecisionScope([named.Id]), Into, null, "anna", "meant");

        Assert.Equal(Some.File("meant"), Expected(approved, Evil));
    }

    [Fact]
    public void SettingThatOneAgentTellsOfAnAgreedFile_IsLeftOut()
    {
        var forger = new CertifiedInstance(_collector, "r2");
        var agreed = new[] { Deviation(1, "r1", EntryKind.File, "/etc/passwd"), Deviation(2, "r2", EntryKind.File, "/etc/passwd") };
        Deviation[] all = [.. agreed, Deviation(3, forger.Id, EntryKind.Setting, "setting:/etc/passwd#evil/uid")];

        var apart = Agreed.OfSettings(agreed, all);

        Assert.Equal([1, 2], apart.Members.Select(deviation => deviation.Id));
        Assert.Equal((3, "on 1 of 2 instances"), (Assert.Single(apart.Outliers).Deviation.Id, apart.Outliers[0].Reason));
    }

    private static Changes Upgrade() =>
        new Changes().In(Changes.Upgrade()).Made("/srv/1/1", Some.File("new"), Membership.Verified);

    private static Deviation Deviation(long id, string instanceId, EntryKind kind, string name) => new(
        id, instanceId, kind, KeyText.Parse(name).Key, Severity.Medium, DeviationState.Open, 1, null, Some.File().Encode(), Some.Time, null, null, Some.Time, 1);

    private long CauseId => _collector.Deviations(openOnly: true)[0].CauseId!.Value;

    private Agreed Standing() => _collector.Store.Read(transaction =>
        Agreed.Of(transaction.Deviations.OpenOfCause(CauseId), transaction.Causes.AgreementOf(transaction.Causes.Find(CauseId)!)));

    private Approved Approve(bool withOutliers = false, VersionName? into = null) =>
        _collector.Decisions.Approve(new DecisionScope([], CauseId, WithOutliers: withOutliers), into ?? Into, null, "anna", "update");

    private Fingerprint? Expected(Approved approved, string path) =>
        _collector.Store.Read(transaction => TreeReader.Find(transaction.Nodes, approved.Baseline.Roots.File, EntryKey.OfPath(path)));
}
