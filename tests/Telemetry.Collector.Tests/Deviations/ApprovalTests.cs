using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Deviations;

/// <summary>What was approved is what is expected, whatever was settled before, and whichever version judges.</summary>
public sealed class ApprovalTests : IDisposable
{
    private const string Motd = "/etc/motd";

    private static readonly VersionName Hotfix = new("hotfix", "1");

    private readonly Collector _collector = new();
    private ulong _sequence;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Approved_OverAConflictThatWasSettled_IsExpected()
    {
        var instance = Settled();
        instance.Tree[Motd] = Some.File("approved");
        instance.Report();

        var approved = _collector.Decisions.Approve(OfAll(instance), Hotfix, null, "anna", "as intended");

        Assert.Empty(_collector.Deviations(openOnly: true));
        Assert.Equal(Some.File("approved"), Expected(approved.Baseline));
        instance.Tree[Motd] = Some.File("apache");
        instance.Report();
        _collector.Baselines.Retire(Name("kit:1"));
        Assert.Equal(Some.File("approved"), Fingerprint.Decode(Assert.Single(_collector.Deviations(openOnly: true)).Expected));
    }

    [Fact]
    public void Approve_IntoTheLayerThatIsRight_IsExpected()
    {
        var instance = Settled();
        instance.Tree[Motd] = Some.File("approved");
        instance.Report();

        var approved = _collector.Decisions.Approve(OfAll(instance), Name("apache:2"), null, "anna", "as intended");

        Assert.Equal(Some.File("approved"), Expected(approved.Baseline));
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Approve_IntoTheLayerThatIsWrong_IsRefusedRatherThanOfNoEffect()
    {
        var instance = Settled();
        instance.Tree[Motd] = Some.File("approved");
        instance.Report();

        var refused = Assert.Throws<DecisionException>(() => _collector.Decisions.Approve(OfAll(instance), Name("mysql:2"), null, "anna", "as intended"));

        Assert.Contains(Motd, refused.Message, StringComparison.Ordinal);
        Assert.Equal(DeviationState.Open, Assert.Single(_collector.Deviations(openOnly: true)).State);
    }

    [Fact]
    public void Compose_WithAResolutionThatSettlesNothing_IsRefusedAndNamesIt()
    {
        Settled();

        var refused = Assert.Throws<LayerException>(() => Compose("kit:2", "apache:1", "/etc/modt"));
        Assert.Throws<LayerException>(() => _collector.Layers.Merge(Name("shop:1"), [Name("apache:1")], new Dictionary<string, string> { [Motd] = "apache" }));

        Assert.Contains("/etc/modt", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Approved_OnAnInstanceThatAnOlderVersionFitsBetter_IsClosedThereAndOnItsLikes()
    {
        var (old, like) = OnAnOlderVersion();
        old.Tamper();
        like.Tamper();
        var known = _collector.Deviations(openOnly: true);

        _collector.Decisions.Approve(OfAll(old), Hotfix, null, "anna", "as intended");

        Assert.Empty(_collector.Deviations(openOnly: true));
        Assert.Equal("shop:1", Judging(old));
        Assert.Equal([DeviationState.Approved, DeviationState.Resolved], _collector.Deviations().Where(deviation => known.Any(one => one.Id == deviation.Id)).Select(deviation => deviation.State));
        Assert.Equal(known.Select(deviation => deviation.Id), _collector.Events().Where(stored => stored.Kind == TransitionKind.Closed).Select(stored => stored.DeviationId).Order().TakeLast(2));
    }

    [Fact]
    public void Approved_BeforeAnotherInstanceOfAnOlderVersionHasIt_DoesNotOpenThere_AndAnotherStateDoes()
    {
        var (old, like) = OnAnOlderVersion();
        old.Tamper();
        _collector.Decisions.Approve(OfAll(old), Hotfix, null, "anna", "as intended");
        var before = _collector.Events().Count;

        like.Tamper();
        Assert.Equal(before, _collector.Events().Count);
        like.Tamper("something else");

        Assert.Equal(like.Id, Assert.Single(_collector.Deviations(openOnly: true)).InstanceId);
    }

    [Fact]
    public void Approved_WhenNoAcceptedVersionExpectsItAnyMore_IsADeviationAgain()
    {
        var (old, _) = OnAnOlderVersion();
        old.Tamper();
        var approved = _collector.Decisions.Approve(OfAll(old), Hotfix, null, "anna", "as intended");

        _collector.Baselines.Capture(Name("shop:9"), "newer");
        _collector.Baselines.Retire(approved.Baseline.Name);

        Assert.Equal(EntryKey.OfPath(CertifiedInstance.File), Assert.Single(_collector.Deviations(openOnly: true)).Key);
    }

    [Fact]
    public void HalfOfANewerVersion_ThatNobodyApproved_DeviatesFromTheOlder()
    {
        var (old, _) = OnAnOlderVersion();

        old.Tree["/srv/2/2"] = Some.File("newer");
        old.Report();

        Assert.Equal(EntryKey.OfPath("/srv/2/2"), Assert.Single(_collector.Deviations(openOnly: true)).Key);
    }

    /// <summary>An instance of a line of which apache and mysql are part, who disagreed about a file, and apache is right.</summary>
    private CertifiedInstance Settled()
    {
        var instance = new CertifiedInstance(_collector);
        foreach (var name in (string[])["apache", "mysql"])
        {
            var tree = FileTree.OfSize(500);
            tree[Motd] = Some.File(name);
            new FakeAgent(_collector.NewStream(), name + "-lab").Hello().Report(tree);
            _collector.Layers.Create(new VersionName(name, "1"), name + "-vendor", "shop:1", name + "-lab", "", "default");
        }

        Compose("kit:1", "apache:1 mysql:1", Motd);
        _collector.Baselines.Bind(Some.Binding(Selector.Instance, instance.Id, "kit"));
        instance.Tree[Motd] = Some.File("apache");
        instance.Report();
        Assert.Empty(_collector.Deviations(openOnly: true));
        return instance;
    }

    private void Compose(string name, string layers, string resolved) => _collector.Baselines.Compose(
        Name(name), Name("shop:1"), [.. layers.Split(' ').Select(Name)], new Dictionary<string, string> { [resolved] = "apache" });

    /// <summary>Two instances that are like shop:1, of a line whose newest is shop:2, from which they differ by much.</summary>
    private (CertifiedInstance Old, CertifiedInstance Like) OnAnOlderVersion()
    {
        var (old, like) = (new CertifiedInstance(_collector), new CertifiedInstance(_collector, "i-2"));
        var tree = FileTree.OfSize(500);
        for (var i = 2; i < 12; i++)
            tree[$"/srv/{i}/{i}"] = Some.File("newer");
        new FakeAgent(_collector.NewStream(), "newer").Hello().Report(tree, ++_sequence);
        _collector.Baselines.Capture(Name("shop:2"), "newer");
        Assert.Equal(("shop:1", "shop:1"), (Judging(old), Judging(like)));
        return (old, like);
    }

    private string Judging(CertifiedInstance instance) => _collector.Store.Read(transaction =>
        transaction.Baselines.NameOf(transaction.Instances.Find(instance.Id)!.JudgedId!.Value));

    private Fingerprint? Expected(Baseline baseline) =>
        _collector.Store.Read(transaction => TreeReader.Find(transaction.Nodes, baseline.Roots.File, EntryKey.OfPath(Motd)));

    private static DecisionScope OfAll(CertifiedInstance instance) => new([], InstanceId: instance.Id);

    private static VersionName Name(string text) => VersionName.TryParse(text)!;
}
