using Telemetry.Collector.Baselines;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Causes;

/// <summary>Several instances that become the same within a while, and what an instance makes for itself at first.</summary>
public sealed class RolloutTests : IDisposable
{
    private const string File = CertifiedInstance.File;

    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void SameChanges_OnOtherInstances_AreOneRolloutThatNamesWhereItBegan()
    {
        var (first, second, third) = Three();

        first.Tamper(Same(Changes.Vim));
        second.Tamper(Same(Changes.Vim));
        third.Tamper(Same(null));

        Assert.Equal([CauseKind.Actor, CauseKind.Rollout, CauseKind.Rollout], CausesByInstance().Select(cause => cause.Kind));
        Assert.Equal(CausesByInstance()[1], CausesByInstance()[2]);
        Assert.Contains("i-1", CausesByInstance()[1].Summary, StringComparison.Ordinal);
        Assert.Equal(6, _collector.Deviations().Count);
    }

    [Fact]
    public void Rollout_KeepsWhoMadeEachOfIt()
    {
        var (first, second, _) = Three();

        first.Tamper(Same(Changes.Vim));
        second.Tamper(Same(Changes.Vim));

        Assert.All(_collector.Deviations(), deviation => Assert.NotNull(deviation.ActorId));
    }

    [Fact]
    public void Outlier_ThatIsNotTheSame_IsNoMember()
    {
        var (first, second, third) = Three();

        first.Tamper(Same(null));
        second.Tamper(Same(null));
        third.Tamper(new Changes().Silently(File, Some.File("not the same")));

        Assert.Equal(CauseKind.Unexplained, CausesByInstance()[2].Kind);
    }

    [Fact]
    public void SameChange_LongAfter_IsNoMember()
    {
        var (first, second, _) = Three();
        first.Tamper(Same(null));

        _collector.Time.Advance(TimeSpan.FromHours(2));
        second.Tamper(Same(null));

        Assert.Equal([CauseKind.Unexplained, CauseKind.Unexplained], CausesByInstance().Select(cause => cause.Kind));
    }

    [Fact]
    public void ContentOfAPackage_WithoutTheTransaction_IsNoMemberOfIt()
    {
        var (first, second, _) = Three();
        first.Tamper(new Changes().In(Changes.Upgrade()).Made(File, Some.File("new"), V1.Membership.Verified));

        second.Tamper(new Changes().Silently(File, Some.File("new")));

        Assert.Equal([CauseKind.Packages, CauseKind.Unexplained], CausesByInstance().Select(cause => cause.Kind));
    }

    [Fact]
    public void PackageTransaction_GoesBeforeARollout()
    {
        var (first, second, _) = Three();
        first.Tamper(new Changes().Silently(File, Some.File("new")));

        second.Tamper(new Changes().In(Changes.Upgrade()).Made(File, Some.File("new"), V1.Membership.Verified));

        Assert.Equal([CauseKind.Unexplained, CauseKind.Packages], CausesByInstance().Select(cause => cause.Kind));
    }

    [Fact]
    public void FirstHead_OfAnInstance_HasWhatItsFirstBootMade()
    {
        _ = new CertifiedInstance(_collector);
        _collector.Store.Write(transaction => transaction.Instances.Put(Some.Instance("i-9")));
        _collector.Baselines.Bind(Some.Binding(Selector.Instance, "i-9"));
        var tree = FileTree.OfSize(500);
        tree["/etc/machine-id"] = Some.File("its own");
        tree["/srv/added"] = Some.File("by hand");

        new FakeAgent(_collector.NewStream(), "i-9").Hello().Report(tree);

        Assert.Equal(
            [("etc/machine-id", CauseKind.FirstBoot), ("srv/added", CauseKind.Unexplained)],
            _collector.Deviations().Select(deviation => (deviation.Key.ToString(), CauseOf(deviation).Kind)));
    }

    private static Changes Same(V1.Actor? actor) => actor is null
        ? new Changes().Silently(File, Some.File("same")).Silently("/srv/2/2", Some.File("same"))
        : new Changes().By(actor).Made(File, Some.File("same")).Made("/srv/2/2", Some.File("same"));

    private (CertifiedInstance First, CertifiedInstance Second, CertifiedInstance Third) Three() =>
        (new(_collector), new(_collector, "i-2"), new(_collector, "i-3"));

    private List<Cause> CausesByInstance() =>
        [.. _collector.Deviations().GroupBy(deviation => deviation.InstanceId).Select(instance => Assert.Single(instance.Select(CauseOf).Distinct()))];

    private Cause CauseOf(Deviation deviation) => _collector.Store.Read(transaction => transaction.Causes.Find(deviation.CauseId!.Value)!);
}
