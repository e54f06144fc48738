using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Causes;

/// <summary>From change records and heads on an agent's stream to actors and causes of deviations.</summary>
public sealed class ExplanationTests : IDisposable
{
    private const string File = CertifiedInstance.File;

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Change_ToldBeforeItsHead_NamesItsActorAndIsPartOfTheActorsBurst()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tamper(new Changes().By(Changes.Vim).Made(File, Some.File("by anna")).Made("/srv/2/2", null).Made("/srv/new", Some.File()));

        var deviations = _collector.Deviations();
        Assert.Equal(3, deviations.Count);
        Assert.All(deviations, deviation => Assert.Equal("/usr/bin/vim", ActorOf(deviation)!.Executable));
        var cause = Assert.Single(deviations.Select(CauseOf).Distinct());
        Assert.Equal((CauseKind.Actor, "vim (root, logged in as anna)"), (cause.Kind, cause.Summary));
    }

    [Fact]
    public void Event_OfAnExplainedDeviation_CarriesActorAndCause()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tamper(new Changes().By(Changes.Vim).Made(File, Some.File("by anna")));

        var told = V1.Deviation.Parser.ParseFrom(Assert.Single(_collector.Events()).Body);
        Assert.Equal(Changes.Vim, told.Actor);
        Assert.Equal(V1.CauseKind.Actor, told.Cause.Kind);
        Assert.Equal("c-1", told.Cause.Id);
    }

    [Fact]
    public void Change_NobodyToldOf_IsUnexplainedOnceAHead()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tamper(new Changes().Silently(File, Some.File("a")).Silently("/srv/2/2", Some.File("a")));
        instance.Tamper(new Changes().Silently("/srv/3/3", Some.File("a")));

        var causes = _collector.Deviations().Select(CauseOf).ToList();
        Assert.All(causes, cause => Assert.Equal(CauseKind.Unexplained, cause.Kind));
        Assert.Equal(causes[0], causes[1]);
        Assert.NotEqual(causes[0], causes[2]);
    }

    [Fact]
    public void Record_OfAnotherFingerprint_ExplainsNothing()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tell(new Changes().By(Changes.Vim).Made(File, Some.File("what was there for a moment")));
        instance.Tamper("what is there");

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Null(deviation.ActorId);
        Assert.Equal(CauseKind.Unexplained, CauseOf(deviation).Kind);
    }

    [Fact]
    public void Deviation_ThatSomebodyElseChanges_IsTheirs()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper(new Changes().By(Changes.Vim).Made(File, Some.File("by anna")));

        instance.Tamper(new Changes().By(Sed()).Made(File, Some.File("by sed")));
        var bySed = Assert.Single(_collector.Deviations());
        instance.Tamper("by nobody knows whom");

        Assert.Equal("sed (uid 33)", CauseOf(bySed).Summary);
        var unknown = Assert.Single(_collector.Deviations());
        Assert.Null(unknown.ActorId);
        Assert.Equal(CauseKind.Unexplained, CauseOf(unknown).Kind);
    }

    [Fact]
    public void Record_OfAnEarlierChange_DoesNotNameWhoDidItAgain()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper(new Changes().By(Changes.Vim).Made(File, Some.File("tampered")));
        _collector.Time.Advance(TimeSpan.FromSeconds(1));
        instance.Heal();

        instance.Tamper("tampered");

        Assert.Null(_collector.Deviations()[^1].ActorId);
    }

    [Fact]
    public void Record_OfAHeadThatIsStillToCome_SurvivesTheOneBefore()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tell(new Changes().By(Sed()).Made(File, Some.File("first")));
        instance.Tell(new Changes().By(Changes.Vim).Made(File, Some.File("second")));
        instance.Tamper("first");
        var first = ActorOf(Assert.Single(_collector.Deviations()));
        instance.Tamper("second");

        Assert.Equal("/usr/bin/sed", first!.Executable);
        Assert.Equal("/usr/bin/vim", ActorOf(Assert.Single(_collector.Deviations()))!.Executable);
    }

    [Fact]
    public void Batch_ThatIsRedelivered_ChangesNothing()
    {
        var instance = new CertifiedInstance(_collector);
        var changes = new Changes().By(Changes.Vim).Made(File, Some.File("by anna")).Made("/srv/2/2", null);

        instance.Tell(changes);
        instance.Tamper(changes);
        instance.Tell(changes);

        Assert.Equal(2, _collector.Deviations().Count);
        Assert.Single(_collector.Deviations().Select(CauseOf).Distinct());
        Assert.Equal(2, _collector.Events().Count);
    }

    [Fact]
    public void Record_ThatComesLate_ExplainsWhatWasUnexplainedAndTellsNothingAnew()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper("by anna");

        instance.Tell(new Changes().By(Changes.Vim).Made(File, Some.File("by anna")));
        instance.Tell(new Changes().By(Sed()).Made(File, Some.File("by anna")));

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Equal("/usr/bin/vim", ActorOf(deviation)!.Executable);
        Assert.Equal(CauseKind.Actor, CauseOf(deviation).Kind);
        Assert.Single(_collector.Events());
    }

    [Fact]
    public void Bursts_OfOneActor_AreOneCauseWithinAMinute()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tamper(new Changes().By(Changes.Vim).Made("/srv/1/1", Some.File("a")));
        instance.Tamper(new Changes().By(Changes.Vim).At(Some.Time.AddSeconds(60)).Made("/srv/2/2", Some.File("a")));
        instance.Tamper(new Changes().By(Changes.Vim).At(Some.Time.AddSeconds(61)).Made("/srv/3/3", Some.File("a")));

        var causes = _collector.Deviations().Select(deviation => deviation.CauseId).ToList();
        Assert.Equal(causes[0], causes[1]);
        Assert.NotEqual(causes[0], causes[2]);
    }

    [Fact]
    public void Settings_OfAFileSomebodyEdited_AreTheirsToo()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tree["/etc/hosts"] = Some.File("a");
        instance.Tree.Setting("/etc/hosts#127.0.0.1", "localhost");
        instance.Report(Some.SettingCoverage);
        _collector.Baselines.Capture(VersionName.TryParse("shop:2")!, "i-1");

        instance.Tree["/etc/hosts"] = Some.File("b");
        instance.Tree.Setting("/etc/hosts#127.0.0.1", "gone");
        instance.Tell(new Changes().By(Changes.Vim).Made("/etc/hosts", Some.File("b")));
        instance.Report(Some.SettingCoverage);

        var deviations = _collector.Deviations(openOnly: true);
        Assert.Equal(2, deviations.Count);
        Assert.All(deviations, deviation => Assert.Equal("/usr/bin/vim", ActorOf(deviation)!.Executable));
        Assert.Single(deviations.Select(deviation => deviation.CauseId).Distinct());
    }

    [Fact]
    public void Actor_OfWhomNothingIsKnown_ExplainsNothing()
    {
        var instance = new CertifiedInstance(_collector);

        instance.Tamper(new Changes().By(new V1.Actor { Pid = 7, HasExited = true }).Made(File, Some.File("a")));

        var deviation = Assert.Single(_collector.Deviations());
        Assert.Equal(7, ActorOf(deviation)!.Pid);
        Assert.Equal(CauseKind.Unexplained, CauseOf(deviation).Kind);
    }

    [Fact]
    public void Transaction_OnTwoInstances_IsOneCauseAndItsResidueIsNotInIt()
    {
        var first = new CertifiedInstance(_collector);
        var second = new CertifiedInstance(_collector, "i-2");

        first.Tamper(Upgrade()
            .Made("/srv/2/2", Some.File("postinst made it"), V1.Membership.Unverified)
            .By(Changes.Vim).Made("/srv/3/3", Some.File("vim made it meanwhile"), V1.Membership.Residue)
            .By(null).Made("/srv/4/4", Some.File("nobody knows"), V1.Membership.Residue));
        second.Tamper(Upgrade());

        var packages = _collector.Store.Read(transaction => transaction.Causes.Page("i-2", long.MaxValue, 10)).Single();
        Assert.Equal("dpkg: apache2 2.4.62-1 → 2.4.65-1", packages.Summary);
        Assert.Equal(
            new CauseCounts(Deviations: 5, Open: 5, Instances: 2, Files: 3, Unverified: 1),
            _collector.Store.Read(transaction => transaction.Causes.CountsOf(packages.Id)));
        Assert.Equal(["i-1", "i-2"], _collector.Store.Read(transaction => transaction.Causes.InstancesOf(packages.Id, 10)));
        Assert.Equal(CauseKind.Actor, CauseOf(DeviationAt("/srv/3/3")).Kind);
        Assert.Equal(CauseKind.Unexplained, CauseOf(DeviationAt("/srv/4/4")).Kind);
    }

    [Fact]
    public void Deviation_ThatCloses_KeepsItsActorAndItsCause()
    {
        var instance = new CertifiedInstance(_collector);
        instance.Tamper(new Changes().By(Changes.Vim).Made(File, Some.File("by anna")));

        instance.Heal();

        var told = V1.Deviation.Parser.ParseFrom(_collector.Events()[^1].Body);
        Assert.Equal(V1.DeviationState.Resolved, told.State);
        Assert.Equal(Changes.Vim, told.Actor);
        Assert.Equal(V1.CauseKind.Actor, told.Cause.Kind);
    }

    private static Changes Upgrade() => new Changes()
        .By(new V1.Actor { Pid = 5, Executable = "/usr/bin/dpkg", IsCertain = true, Uid = 0 })
        .In(Changes.Upgrade())
        .Made(File, Some.File("the new version"), V1.Membership.Verified)
        .Made("package:dpkg/apache2:amd64", Some.Package("2.4.65-1"), V1.Membership.Verified);

    private Deviation DeviationAt(string path) =>
        _collector.Deviations().Single(deviation => deviation.Key == EntryKey.OfPath(path));

    private static V1.Actor Sed() => new() { Pid = 4712, Executable = "/usr/bin/sed", IsCertain = true, Uid = 33 };

    private Actor? ActorOf(Deviation deviation) =>
        deviation.ActorId is { } id ? _collector.Store.Read(transaction => transaction.Actors.Get(id)) : null;

    private (long Id, CauseKind Kind, string Summary) CauseOf(Deviation deviation)
    {
        var cause = _collector.Store.Read(transaction => transaction.Causes.Find(deviation.CauseId!.Value))!;
        return (cause.Id, cause.Kind, cause.Summary);
    }
}
