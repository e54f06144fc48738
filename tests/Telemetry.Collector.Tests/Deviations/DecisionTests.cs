using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Deviations;

public sealed class DecisionTests : IDisposable
{
    private const Protocol.V1.Membership Verified = Protocol.V1.Membership.Verified;

    private static readonly VersionName Hotfix = new("hotfix", "1");

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Acknowledged_StaysOpenWithWhoAndWhy()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        _collector.Decisions.Acknowledge(Only(Newest), "anna", "ticket 7");

        Assert.Equal((DeviationState.Acknowledged, true), (Newest.State, Newest.IsOpen));
        var decision = _collector.Store.Read(transaction => transaction.Decisions.Get(Newest.DecisionId!.Value));
        Assert.Equal(("anna", "ticket 7"), (decision.By, decision.Reason));
        Assert.Equal([TransitionKind.Opened, TransitionKind.Changed], _collector.Events().Select(stored => stored.Kind));
    }

    /// <summary>As 'deviations list --state open' has them.</summary>
    [Fact]
    public async Task Decided_IsCountedApartFromWhatIsOpen()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        instance.Tree["/etc/other"] = Some.File();
        instance.Report();
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "why not");

        var fleet = new FleetGrpcService(_collector.Store, _collector.Policies, _collector.Seals, _collector.Agents, _collector.Time);
        var shown = (await fleet.GetInstance(new Protocol.V1.GetInstanceRequest { Id = instance.Id }, null!)).Instance;
        var causes = _collector.Store.Read(transaction => _collector.Deviations().Select(one => one.CauseId!.Value).Distinct().Sum(id => transaction.Causes.CountsOf(id).Open));

        Assert.Equal((1u, 1u), (shown.OpenDeviations, shown.DecidedDeviations));
        Assert.Equal(1, causes);
    }

    [Fact]
    public void Decided_WhenTheEntryChangesAgain_ClosesAndAnotherEpisodeOpens()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "why not");

        instance.Tamper("tampered again");

        Assert.Equal(
            [(DeviationState.Resolved, false), (DeviationState.Open, true)],
            _collector.Deviations().Select(deviation => (deviation.State, deviation.IsOpen)));
        Assert.Equal(
            [TransitionKind.Opened, TransitionKind.Changed, TransitionKind.Closed, TransitionKind.Opened],
            _collector.Events().Select(stored => stored.Kind));
    }

    [Fact]
    public void Decided_SurvivesARestartAndAReconnect()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Decisions.Acknowledge(Only(Newest), "anna", "seen");

        _collector.Restart();
        instance.Reconnect();
        instance.Report();

        Assert.Equal(DeviationState.Acknowledged, Assert.Single(_collector.Deviations()).State);
        Assert.Equal(2, _collector.Events().Count);
    }

    [Fact]
    public void Waived_IsOpenAsBeforeWhenItsTimeIsUp()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "until tomorrow");
        var id = Newest.Id;

        _collector.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal([instance.Id], _collector.Store.Read(transaction => transaction.Deviations.InstancesDecidedUntil(_collector.Time.GetUtcNow())));
        _collector.Pipeline.Reevaluate([instance.Id]);

        Assert.Equal((id, DeviationState.Open, true), (Newest.Id, Newest.State, Newest.IsOpen));
        Assert.Empty(_collector.Store.Read(transaction => transaction.Deviations.InstancesDecidedUntil(DateTimeOffset.MaxValue)));
    }

    [Fact]
    public void Waived_ThatComesBackAsItWas_OpensWaived()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "comes and goes");
        instance.Heal();

        instance.Tamper();

        Assert.Equal([DeviationState.Resolved, DeviationState.Waived], _collector.Deviations().Select(deviation => deviation.State));
    }

    [Fact]
    public void Waived_ThatChangesAndComesBackWithinItsTerm_IsWaivedAgain()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper("w1");
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "comes and goes");
        instance.Tamper("w2");

        instance.Tamper("w1");

        Assert.Equal(
            [(DeviationState.Resolved, false), (DeviationState.Resolved, false), (DeviationState.Waived, true)],
            _collector.Deviations().Select(deviation => (deviation.State, deviation.IsOpen)));
        Assert.Equal((Some.Time.AddDays(1), Some.File("w1")), (Newest.DecidedUntil, Fingerprint.Decode(Newest.Actual)));
    }

    [Fact]
    public void Waived_ThatChangesAgain_NamesWhoChangedIt()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper("w1");
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "comes and goes");
        var changes = new Changes().By(Changes.Vim).Made(CertifiedInstance.File, Some.File("w2"));
        changes.ApplyTo(instance.Tree);

        instance.Tell(changes);
        _collector.Time.Advance(TimeSpan.FromSeconds(1));
        instance.Report();

        Assert.NotNull(Newest.ActorId);
    }

    [Fact]
    public void Waived_ThatComesBackAfterItsTerm_IsOpen()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper("w1");
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "comes and goes");
        instance.Tamper("w2");
        _collector.Time.Advance(TimeSpan.FromDays(2));

        instance.Tamper("w1");

        Assert.Equal(DeviationState.Open, Assert.Single(_collector.Deviations(openOnly: true)).State);
    }

    [Fact]
    public void Waiver_OfOneInstance_IsNoneOfAnother()
    {
        var instance = new CertifiedInstance(_collector);
        var other = new CertifiedInstance(_collector, "i-2");
        instance.Tamper();
        _collector.Decisions.Waive(Only(Newest), Some.Time.AddDays(1), "anna", "only here");

        other.Tamper();

        Assert.Equal(DeviationState.Open, Newest.State);
    }

    [Fact]
    public void Waiver_ThatEndsInThePast_IsRefused()
    {
        new CertifiedInstance(_collector).Tamper();

        Assert.Throws<DecisionException>(() => _collector.Decisions.Waive(Only(Newest), Some.Time, "anna", "too late"));
        Assert.Equal(DeviationState.Open, Newest.State);
    }

    [Fact]
    public void Closed_CantBeDecidedUpon()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        instance.Heal();

        Assert.Throws<DecisionException>(() => _collector.Decisions.Acknowledge(Only(Newest), "anna", "too late"));
    }

    [Fact]
    public void Approved_MakesALayerAndTheNextVersionOfTheLine_AndClosesThere()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();

        var approved = _collector.Decisions.Approve(Only(Newest), Hotfix, "acme", "anna", "as intended");

        Assert.Equal(("shop:2", "hotfix:1", "acme"), (approved.Baseline.Name.ToString(), approved.Layer.Name.ToString(), approved.Layer.Owner));
        Assert.Equal((DeviationState.Approved, false), (Newest.State, Newest.IsOpen));
        Assert.Equal([TransitionKind.Opened, TransitionKind.Closed], _collector.Events().Select(stored => stored.Kind));
        Assert.Equal(["hotfix:1"], _collector.Store.Read(transaction => transaction.Layers.Of(approved.Baseline.Id)).Select(layer => layer.Name.ToString()));
    }

    [Fact]
    public void Approved_WhoWasNotUpgradedDoesNotDeviate_WhoIsLaterIsCompliantAtOnce()
    {
        var upgraded = new CertifiedInstance(_collector);
        var waiting = new CertifiedInstance(_collector, "i-2");
        upgraded.Tamper();
        _collector.Decisions.Approve(Only(Newest), Hotfix, null, "anna", "as intended");
        Assert.Empty(_collector.Deviations(openOnly: true));

        waiting.Tamper();
        waiting.Report();

        Assert.Single(_collector.Deviations());
        Assert.Equal(["shop:2", "shop:2"], Judged("i-1", "i-2"));
    }

    [Fact]
    public void Approved_WhenItIsTamperedWith_IsAnotherEpisode()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Decisions.Approve(Only(Newest), Hotfix, null, "anna", "as intended");

        instance.Tamper("tampered again");

        var deviation = Assert.Single(_collector.Deviations(openOnly: true));
        Assert.Equal("hotfix:1", deviation.Attributed!.Layer);
        Assert.Equal(Some.File("tampered"), Fingerprint.Decode(deviation.Expected));
    }

    [Fact]
    public void Approved_ByItsCause_IsOneDecisionForAllInstances()
    {
        var instances = new[] { new CertifiedInstance(_collector), new CertifiedInstance(_collector, "i-2") };
        foreach (var instance in instances)
            instance.Tamper(new Changes().In(Changes.Upgrade()).Made("/srv/1/1", Some.File("new"), Verified).Made("/srv/2/2", Some.File("new"), Verified));
        var cause = Assert.Single(_collector.Deviations().Select(deviation => deviation.CauseId).Distinct());

        var approved = _collector.Decisions.Approve(new DecisionScope([], cause), Hotfix, null, "anna", "security update");

        Assert.Equal(4, approved.Deviations);
        Assert.Empty(_collector.Deviations(openOnly: true));
        Assert.Equal(2, _collector.Store.Read(transaction => approved.Layer.Changes(transaction.Nodes).Count()));
    }

    [Fact]
    public void Approved_IntoALayerThatIsThere_IsItsNextVersion()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        _collector.Decisions.Approve(Only(Newest), Hotfix, "acme", "anna", "first");
        instance.Tree["/srv/2/2"] = Some.File("second");
        instance.Report();

        var approved = _collector.Decisions.Approve(Only(Newest), new VersionName("hotfix", "2"), null, "anna", "second");

        Assert.Equal(("shop:3", "acme"), (approved.Baseline.Name.ToString(), approved.Layer.Owner));
        Assert.Equal(["hotfix:2"], _collector.Store.Read(transaction => transaction.Layers.Of(approved.Baseline.Id)).Select(layer => layer.Name.ToString()));
        Assert.Equal(2, _collector.Store.Read(transaction => approved.Layer.Changes(transaction.Nodes).Count()));
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Approved_BackToWhatTheBaseHas_LeavesTheLayerWithoutIt()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper();
        instance.Tree["/srv/2/2"] = Some.File("stays");
        instance.Report();
        _collector.Decisions.Approve(new DecisionScope([], InstanceId: instance.Id), Hotfix, null, "anna", "first");
        _collector.Baselines.Retire(new VersionName("shop", "1"));
        instance.Heal();

        var approved = _collector.Decisions.Approve(Only(Newest), new VersionName("hotfix", "2"), null, "anna", "not after all");

        var change = Assert.Single(_collector.Store.Read(transaction => approved.Layer.Changes(transaction.Nodes).ToList()));
        Assert.Equal(EntryKey.OfPath("/srv/2/2"), change.Change.Key);
    }

    [Fact]
    public void Approved_WithAFile_AreItsSettings()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tree["/etc/hosts"] = Some.File("a");
        instance.Tree.Setting("/etc/hosts#127.0.0.1", "localhost");
        instance.Report(Some.SettingCoverage);
        _collector.Baselines.Capture(new VersionName("shop", "2"), instance.Id);
        instance.Tree["/etc/hosts"] = Some.File("b");
        instance.Tree.Setting("/etc/hosts#127.0.0.1", "other");
        instance.Report(Some.SettingCoverage);
        var file = _collector.Deviations(openOnly: true).Single(deviation => deviation.Kind == EntryKind.File);

        var approved = _collector.Decisions.Approve(Only(file), Hotfix, null, "anna", "as intended");

        Assert.Equal(2, approved.Deviations);
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Approve_OfTwoStatesOfOneEntry_IsRefusedAndNamesBoth()
    {
        var instance = new CertifiedInstance(_collector);
        var other = new CertifiedInstance(_collector, "i-2");
        instance.Tamper("one");
        other.Tamper("two");

        var refused = Assert.Throws<DecisionException>(
            () => _collector.Decisions.Approve(new DecisionScope([.. _collector.Deviations().Select(deviation => deviation.Id)]), Hotfix, null, "anna", "both"));

        Assert.Contains("/srv/1/1", refused.Message, StringComparison.Ordinal);
        Assert.Contains("i-2", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, _collector.Deviations(openOnly: true).Count);
        Assert.Null(_collector.Store.Read(transaction => transaction.Layers.Find(Hotfix)));
    }

    [Fact]
    public void Approve_OfWhatNobodyCouldRead_IsRefused()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tree[CertifiedInstance.File] = Some.File() with { Mode = 0, Content = null, State = EntryState.Unreadable };
        instance.Report();

        Assert.Throws<DecisionException>(() => _collector.Decisions.Approve(Only(Newest), Hotfix, null, "anna", "blind"));
    }

    [Fact]
    public void Retired_Version_IsAcceptedNoMore()
    {
        var upgraded = new CertifiedInstance(_collector);
        _ = new CertifiedInstance(_collector, "i-2");
        upgraded.Tamper();
        _collector.Decisions.Approve(Only(Newest), Hotfix, null, "anna", "as intended");

        _collector.Baselines.Retire(new VersionName("shop", "1"));

        Assert.Equal("i-2", Assert.Single(_collector.Deviations(openOnly: true)).InstanceId);
        Assert.Throws<BaselineException>(() => _collector.Baselines.Retire(new VersionName("shop", "2")));
    }

    [Fact]
    public void Version_OfWhichASecretCantBeCompared_DoesNotWinByThat()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tree["/etc/shadow"] = Some.Secret(FleetKey.Random());
        instance.Report();
        _collector.Baselines.Capture(new VersionName("shop", "2"), instance.Id);
        var key = FleetKey.Random();
        instance.Tree["/etc/shadow"] = Some.Secret(key);
        instance.Report();
        _collector.Baselines.Capture(new VersionName("shop", "3"), instance.Id);

        instance.Tree["/etc/shadow"] = Some.Secret(key, "another");
        instance.Report();

        Assert.Equal(EntryKey.OfPath("/etc/shadow"), Assert.Single(_collector.Deviations(openOnly: true)).Key);
        Assert.Equal(["shop:3"], Judged("i-1"));
    }

    private Deviation Newest => _collector.Deviations()[^1];

    private static DecisionScope Only(Deviation deviation) => new([deviation.Id]);

    private IEnumerable<string> Judged(params string[] ids) => _collector.Store.Read(transaction =>
        ids.Select(id => transaction.Baselines.NameOf(transaction.Instances.Find(id)!.JudgedId!.Value)).ToList());
}
