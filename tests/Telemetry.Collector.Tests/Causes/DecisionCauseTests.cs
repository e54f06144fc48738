using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Causes;

/// <summary>What opens because somebody changed what judges an instance has that as its cause, and not who made the file what it was all along.</summary>
public sealed class DecisionCauseTests : IDisposable
{
    private const string File = "/srv/1/1";
    private const string Lax = "name = \"lax\"\n[[rules]]\nmatch = [\"/srv\"]\ntreat = \"presence\"";

    private static readonly Fingerprint Edited = Some.File("edited");

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("bind", "anna bound tag role=shop to shop")]
    [InlineData("retire", "anna retired shop:2")]
    [InlineData("policy of the line", "anna had shop judged by policy default")]
    [InlineData("policies set", "anna set version 2 of policy lax")]
    public void Deviations_ThatADecisionOpens_AreOfOneCauseThatNamesWhoDecidedWhat(string change, string summary)
    {
        Prepare(change);
        Edit("i-1");
        Edit("i-2");
        Assert.Empty(_collector.Deviations(openOnly: true));
        _collector.Time.Advance(TimeSpan.FromMinutes(5));

        Make(change);

        var open = _collector.Deviations(openOnly: true);
        Assert.Equal(["i-1", "i-2"], open.Select(deviation => deviation.InstanceId).Order());
        var cause = Assert.Single(open.Select(CauseOf).DistinctBy(cause => cause.Id));
        Assert.Equal((CauseKind.Decision, summary, "anna", _collector.Time.GetUtcNow()), (cause.Kind, cause.Summary, cause.DecidedBy, cause.BeganAt));
        Assert.All(open, deviation => Assert.Null(deviation.ActorId));
        Assert.Contains(cause.Id, _collector.Store.Read(transaction => transaction.Causes.Page("i-1", long.MaxValue, 10)).Select(listed => listed.Id));
        Assert.Equal((2, 2), _collector.Store.Read(transaction => (transaction.Causes.CountsOf(cause.Id).Instances, transaction.Causes.CountsOf(cause.Id).Open)));
    }

    [Fact]
    public void Record_ThatComesLate_ExplainsNothingThatADecisionOpened()
    {
        Prepare("retire");
        var machine = Edit("i-1", new Changes().Silently(File, Edited));
        Make("retire");

        machine.Tell(new Changes().By(Changes.Vim).Made(File, Edited));

        var deviation = Assert.Single(_collector.Deviations(openOnly: true));
        Assert.Equal((CauseKind.Decision, null), (CauseOf(deviation).Kind, deviation.ActorId));
    }

    [Fact]
    public void Change_ThatComesAfterTheDecision_IsWhoeversItIs()
    {
        Prepare("retire");
        var machine = Edit("i-1");
        Make("retire");

        machine.Report(new Changes().By(Changes.Vim).Made(File, Some.File("again")).Made("/srv/3/3", Some.File("new")));

        var open = _collector.Deviations(openOnly: true);
        Assert.Equal(2, open.Count);
        Assert.All(open, deviation => Assert.Equal(CauseKind.Actor, CauseOf(deviation).Kind));
    }

    [Fact]
    public void Head_ThatComesBeforeTheJudgement_HasWhatItChangedItselfAndWhatTheDecisionOpened()
    {
        Prepare("policy of the line");
        var machine = Edit("i-1");
        _collector.Store.Write(transaction =>
        {
            transaction.Policies.SetOfLine("shop", "default");
            transaction.Pending.Add(["i-1"], new JudgedAnew("anna", "had shop judged by policy default", _collector.Time.GetUtcNow()));
        });

        machine.Report(new Changes().By(Changes.Vim).Made("/srv/3/3", Some.File("new")));

        Assert.Equal(
            [("srv/1/1", CauseKind.Decision), ("srv/3/3", CauseKind.Actor)],
            _collector.Deviations(openOnly: true).Select(deviation => (deviation.Key.ToString(), CauseOf(deviation).Kind)).Order());
        Assert.Equal(0, _collector.Store.Read(transaction => transaction.Pending.Count()));
    }

    [Fact]
    public void PackageTransaction_GoesBeforeADecision()
    {
        Prepare("retire");
        Edit("i-1", new Changes().In(Changes.Upgrade()).Made(File, Edited, V1.Membership.Verified));

        Make("retire");

        Assert.Equal(CauseKind.Packages, CauseOf(Assert.Single(_collector.Deviations(openOnly: true))).Kind);
    }

    [Fact]
    public void FirstBoot_GoesBeforeADecision()
    {
        Prepare("bind");
        var tree = FileTree.OfSize(500);
        tree["/etc/machine-id"] = Some.File("its own");
        tree["/srv/added"] = Some.File("by hand");
        new FakeAgent(_collector.NewStream(), "i-1").Hello(tags: [("role", "shop")]).Report(tree);

        Make("bind");

        Assert.Equal(
            [("etc/machine-id", CauseKind.FirstBoot), ("srv/added", CauseKind.Decision)],
            _collector.Deviations(openOnly: true).Select(deviation => (deviation.Key.ToString(), CauseOf(deviation).Kind)));
    }

    [Fact]
    public void Decision_IsNoRollout_AndMakesNone()
    {
        Prepare("policy of the line");
        Edit("i-1");
        var (second, third) = (Edit("i-2", new Changes()), Edit("i-3", new Changes()));
        Make("policy of the line");

        second.Report(new Changes().Silently(File, Edited));
        third.Report(new Changes().Silently(File, Edited));

        Assert.Equal(
            [("i-1", CauseKind.Decision), ("i-2", CauseKind.Unexplained), ("i-3", CauseKind.Rollout)],
            _collector.Deviations(openOnly: true).Select(deviation => (deviation.InstanceId, CauseOf(deviation).Kind)).Order());
    }

    [Fact]
    public void NewVersion_ThatFitsBetter_IsTheCauseOfWhatItOpens()
    {
        Prepare("none");
        Edit("i-1", new Changes().Silently("/srv/2/2", Edited).Silently("/srv/3/3", Edited));
        var newer = FileTree.OfSize(500);
        foreach (var path in (string[])["/srv/2/2", "/srv/3/3", "/srv/4/4"])
            newer[path] = Edited;
        new FakeAgent(_collector.NewStream(), "newer").Hello().Report(newer);

        _collector.Baselines.Capture(new VersionName("shop", "9"), "newer", by: "anna");

        var opened = Assert.Single(_collector.Deviations(openOnly: true));
        Assert.Equal(("srv/4/4", "anna made shop:9: captured from newer (web-1)"), (opened.Key.ToString(), CauseOf(opened).Summary));
    }

    [Fact]
    public void Approval_ThatBringsAnotherVersionToBear_IsTheCauseOfWhatThatOpens()
    {
        Prepare("none");
        Edit("i-1", new Changes().Silently("/srv/2/2", Edited).Silently("/srv/3/3", Edited));
        Edit("i-2", new Changes().Silently("/srv/2/2", Edited).Silently("/srv/3/3", Edited).Silently("/srv/4/4", Edited));

        _collector.Decisions.Approve(new DecisionScope([], InstanceId: "i-2"), new VersionName("hotfix", "1"), null, "anna", "upgrade");

        var opened = Assert.Single(_collector.Deviations(openOnly: true));
        Assert.Equal(("srv/4/4", "anna approved 3 deviations into hotfix:1, which made shop:2: upgrade"), (opened.Key.ToString(), CauseOf(opened).Summary));
    }

    [Fact]
    public void Instance_ThatComesWithOtherTags_IsTheCauseItself()
    {
        Prepare("retire");
        _collector.Baselines.Capture(new VersionName("other", "1"), "golden");
        _collector.Baselines.Bind(Some.Binding(Selector.Tag, "role=other", "other"));
        Edit("i-1");

        new FakeAgent(_collector.NewStream(), "i-1").Hello(tags: [("role", "other")]);

        var cause = CauseOf(Assert.Single(_collector.Deviations(openOnly: true)));
        Assert.Equal((CauseKind.Decision, "i-1 came with other tags or of another image", null), (cause.Kind, cause.Summary, cause.DecidedBy));
    }

    [Fact]
    public void Entry_ThatCouldNotBeReadForTooLong_IsNobodysDecision()
    {
        Prepare("none");
        Edit("i-1", new Changes().Silently(File, Some.File("content 1") with { State = EntryState.Unreadable, Content = null }));
        _collector.Time.Advance(TimeSpan.FromHours(2));

        _collector.Pipeline.Reevaluate(["i-1"]);

        Assert.Equal(CauseKind.Unexplained, CauseOf(Assert.Single(_collector.Deviations(openOnly: true))).Kind);
    }

    /// <summary>What judges instances until the change is made: it does not mind what <see cref="Edited"/> is.</summary>
    private void Prepare(string change)
    {
        var golden = new Machine(_collector, "golden");
        _collector.Baselines.Capture(new VersionName("shop", "1"), "golden");
        if (change == "retire")
        {
            golden.Report(new Changes().Silently(File, Edited));
            _collector.Baselines.Capture(new VersionName("shop", "2"), "golden");
            golden.Report(new Changes().Silently(File, Some.File("content 1")));
            _collector.Baselines.Capture(new VersionName("shop", "3"), "golden");
        }

        if (change.StartsWith("polic", StringComparison.Ordinal))
        {
            _collector.PolicyRegistry.Set(Lax, "lax.toml", "setup");
            _collector.Baselines.SetPolicy("shop", "lax", "setup");
        }

        if (change != "bind")
            _collector.Baselines.Bind(Some.Binding(Selector.Tag, "role=shop"), by: "setup");
    }

    private void Make(string change)
    {
        switch (change)
        {
            case "bind":
                _collector.Baselines.Bind(Some.Binding(Selector.Tag, "role=shop"), by: "anna");
                break;
            case "retire":
                _collector.Baselines.Retire(new VersionName("shop", "2"), "anna");
                break;
            case "policy of the line":
                _collector.Baselines.SetPolicy("shop", "default", "anna");
                break;
            default:
                _collector.PolicyRegistry.Set("name = \"lax\"", "lax.toml", "anna");
                break;
        }
    }

    private Machine Edit(string id, Changes? changes = null)
    {
        var machine = new Machine(_collector, id, ("role", "shop"));
        machine.Report(changes ?? new Changes().By(Changes.Vim).Made(File, Edited));
        return machine;
    }

    private Cause CauseOf(Deviation deviation) => _collector.Store.Read(transaction => transaction.Causes.Find(deviation.CauseId!.Value)!);

    /// <summary>An instance that is bound by its tags.</summary>
    private sealed class Machine
    {
        private readonly FakeAgent _agent;
        private readonly FileTree _tree = FileTree.OfSize(500);
        private ulong _sequence;

        public Machine(Collector collector, string id, params (string Key, string Value)[] tags)
        {
            _agent = new FakeAgent(collector.NewStream(), id).Hello(tags: tags);
            Report(new Changes());
        }

        public void Report(Changes changes)
        {
            changes.ApplyTo(_tree);
            Tell(changes);
            _agent.Report(_tree, ++_sequence);
        }

        public void Tell(Changes changes) => _agent.Tell(changes.ToBatch());
    }
}
