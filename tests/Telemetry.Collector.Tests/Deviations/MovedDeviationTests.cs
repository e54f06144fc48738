using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Deviations;

/// <summary>What stays open when another version of the line judges it: told only if more than the version's name is different.</summary>
public sealed class MovedDeviationTests : IDisposable
{
    private const string File = CertifiedInstance.File, Other = "/srv/2/2";

    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;
    private readonly long _id;

    /// <summary>An instance with one open deviation, and one more that tests do away with.</summary>
    public MovedDeviationTests()
    {
        _instance = new CertifiedInstance(_collector);
        _instance.Tree[Other] = Some.File("changed too");
        _instance.Tamper();
        _id = Open().Single(deviation => deviation.Key == EntryKey.OfPath(File)).Id;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("approve")]
    [InlineData("new version")]
    [InlineData("retire")]
    public async Task Deviation_OfWhichOnlyTheVersionIsAnother_MovesAndNobodyIsTold(string change)
    {
        var position = _collector.Feed.Last();
        var told = Transitions();

        Make(change);
        _instance.Tree["/srv/3/3"] = Some.File("behind it");
        _instance.Report();

        Assert.Equal("shop:2", NameOf(Open().Single(deviation => deviation.Id == _id)));
        Assert.Equal(told, Transitions());
        var followed = new List<(string Key, TransitionKind Kind)>();
        await foreach (var stored in _collector.Feed.FollowAsync(position, Cancellation))
        {
            var key = Protocol.V1.Deviation.Parser.ParseFrom(stored.Body).Key;
            followed.Add((key, stored.Kind));
            if (key == "/srv/3/3")
                break;
        }

        Assert.DoesNotContain(followed, one => one.Key == File);
        Assert.All(followed.SkipLast(1), one => Assert.Equal((Other, TransitionKind.Closed), one));
    }

    [Fact]
    public void Deviation_OfWhichAnotherStateIsExpected_IsTold()
    {
        var tree = FileTree.OfSize(500);
        tree[File] = Some.File("other");
        new FakeAgent(_collector.NewStream(), "newer").Hello().Report(tree);
        _collector.Baselines.Capture(new VersionName("shop", "2"), "newer");

        _collector.Baselines.Retire(new VersionName("shop", "1"));

        var deviation = Open().Single(deviation => deviation.Id == _id);
        Assert.Equal((2, Some.File("other")), (deviation.Transitions, Fingerprint.Decode(deviation.Expected)));
        Assert.Equal((_id, TransitionKind.Changed), _collector.Events().Select(stored => (stored.DeviationId, stored.Kind)).Last());
    }

    [Fact]
    public void Deviation_ThatIsMoreSevereNow_IsTold()
    {
        _collector.PolicyRegistry.Set($"name = \"default\"\n[[rules]]\nmatch = [\"{File}\"]\nseverity = \"critical\"", "p.toml", "anna");

        Assert.Equal((_id, TransitionKind.Changed), _collector.Events().Select(stored => (stored.DeviationId, stored.Kind)).Last());
    }

    [Fact]
    public void Deviation_ThatIsOfAnothersLayerNow_IsTold()
    {
        var tree = FileTree.OfSize(500);
        tree["/srv/1/added"] = Some.File();
        new FakeAgent(_collector.NewStream(), "lab").Hello().Report(tree);
        _collector.Layers.Create(new VersionName("web", "1"), "acme", "shop:1", "lab", "owns = [\"/srv/1\"]", "default");
        _collector.Baselines.Compose(new VersionName("shop", "2"), new VersionName("shop", "1"), [new VersionName("web", "1")], new Dictionary<string, string>());

        _collector.Baselines.Retire(new VersionName("shop", "1"));

        Assert.Equal("acme", Open().Single(deviation => deviation.Id == _id).Attributed!.Owner);
        Assert.Contains((_id, TransitionKind.Changed), _collector.Events().Select(stored => (stored.DeviationId, stored.Kind)));
        Assert.DoesNotContain(_collector.Events(), stored => stored.DeviationId != _id && stored.Kind == TransitionKind.Changed);
    }

    [Fact]
    public void Policies_Test_TellsOfNoDeviationThatOnlyMoves()
    {
        _collector.PolicyRegistry.Set("name = \"lax\"\n[[rules]]\nmatch = [\"/srv/4\"]\ntreat = \"presence\"", "lax.toml", "anna");
        var tree = FileTree.OfSize(500);
        tree["/srv/4/4"] = Some.File("newer");
        tree[Other] = Some.File("changed too");
        new FakeAgent(_collector.NewStream(), "newer").Hello().Report(tree);
        _collector.Baselines.Capture(new VersionName("shop", "2"), "newer");
        Assert.Equal("shop:1", NameOf(Open().Single(deviation => deviation.Id == _id)));

        var trial = _collector.PolicyRegistry.Test("name = \"lax\"\n[[rules]]\nmatch = [\"/srv/4\"]\ntreat = \"presence\"", "lax.toml", _instance.Id);

        Assert.Equal("shop:2", trial.Baseline!.ToString());
        Assert.Equal((TransitionKind.Closed, EntryKey.OfPath(Other)), Assert.Single(trial.Effects.Select(effect => (effect.Transition.Kind, effect.Transition.Deviation.Key))));
    }

    private void Make(string change)
    {
        var newer = FileTree.OfSize(500);
        newer[Other] = Some.File("changed too");
        switch (change)
        {
            case "approve":
                _collector.Decisions.Approve(new DecisionScope([Open().Single(deviation => deviation.Id != _id).Id]), new VersionName("hotfix", "1"), null, "anna", "this one");
                break;
            case "new version":
                new FakeAgent(_collector.NewStream(), "newer").Hello().Report(newer);
                _collector.Baselines.Capture(new VersionName("shop", "2"), "newer");
                break;
            default:
                new FakeAgent(_collector.NewStream(), "newer").Hello().Report(FileTree.OfSize(500));
                _collector.Baselines.Capture(new VersionName("shop", "2"), "newer");
                Assert.Equal("shop:1", NameOf(Open().Single(deviation => deviation.Id == _id)));
                _collector.Baselines.Retire(new VersionName("shop", "1"));
                break;
        }
    }

    private int Transitions() => Open().Single(deviation => deviation.Id == _id).Transitions;

    private IEnumerable<Deviation> Open() => _collector.Deviations(openOnly: true);

    private string NameOf(Deviation deviation) => _collector.Store.Read(transaction => transaction.Baselines.NameOf(deviation.BaselineId));
}
