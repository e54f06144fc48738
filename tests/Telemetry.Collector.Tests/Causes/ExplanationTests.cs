using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
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
        _collector.Baselines.Capture(BaselineName.TryParse("shop:2")!, "i-1");

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

    private static V1.Actor Sed() => new() { Pid = 4712, Executable = "/usr/bin/sed", IsCertain = true, Uid = 33 };

    private Actor? ActorOf(Deviation deviation) =>
        deviation.ActorId is { } id ? _collector.Store.Read(transaction => transaction.Actors.Get(id)) : null;

    private (long Id, CauseKind Kind, string Summary) CauseOf(Deviation deviation)
    {
        var cause = _collector.Store.Read(transaction => transaction.Causes.Find(deviation.CauseId!.Value))!;
        return (cause.Id, cause.Kind, cause.Summary);
    }
}
