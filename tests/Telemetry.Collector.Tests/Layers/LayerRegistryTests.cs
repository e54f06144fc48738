using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Layers;

public sealed class LayerRegistryTests : IDisposable
{
    private static readonly ImmutableDictionary<string, string> Unresolved = ImmutableDictionary<string, string>.Empty;

    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;

    /// <summary>shop:1 is what the instance is at first; web:1 and motd:1 are made of it.</summary>
    public LayerRegistryTests()
    {
        _instance = new CertifiedInstance(_collector);
        Made("web", tree => tree["/srv/www/index.html"] = Some.File("hello"));
        Made("motd", tree => tree[CertifiedInstance.File] = Some.File("other"));
    }

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Composed_Baseline_JudgesAndSaysWhoseEveryDeviationIs()
    {
        var composed = Compose("shop:2", "web:1", "motd:1");
        _instance.Tree["/srv/www/index.html"] = Some.File("defaced");
        _instance.Tree[CertifiedInstance.File] = Some.File("other");
        _instance.Tree["/srv/5/5"] = Some.File("base changed");
        _instance.Report();

        Assert.Equal(["web:1", "motd:1"], _collector.Store.Read(transaction => transaction.Layers.Of(composed.Id)).Select(layer => layer.Name.ToString()));
        Assert.Equal(
            [("srv/5/5", "shop:1", "base"), ("srv/www/index.html", "web:1", "web-vendor")],
            _collector.Deviations(openOnly: true).Select(deviation => (deviation.Key.ToString(), deviation.Attributed!.Layer, deviation.Attributed.Owner)));
    }

    [Fact]
    public void Layer_MadeAgainOfTheSame_IsTheSame_AndOfSomethingElseIsRefused()
    {
        Made("web", tree => tree["/srv/www/index.html"] = Some.File("hello"));

        Assert.Throws<LayerException>(() => Made("web", tree => tree["/srv/www/index.html"] = Some.File("something else")));
        Assert.Equal(2, _collector.Store.Read(transaction => transaction.Layers.All()).Count);
    }

    [Fact]
    public void Layer_OfNothing_IsRefused() => Assert.Throws<LayerException>(() => Create("nothing", "shop:1", "shop:1"));

    [Fact]
    public void Layer_HasNothingThatMachinesMakeOfOtherFiles()
    {
        Made("app", tree =>
        {
            tree["/var/lib/dpkg/info/app.list"] = Some.File();
            tree["/srv/app"] = Some.File();
        });

        var layer = _collector.Store.Read(transaction => LayerRegistry.Find(transaction, new VersionName("app", "1")).Changes(transaction.Nodes).ToList());

        Assert.Equal(EntryKey.OfPath("/srv/app"), Assert.Single(layer).Change.Key);
    }

    [Theory]
    [InlineData("name = \"other\"")]
    [InlineData("version = \"2\"")]
    [InlineData("owner = \"somebody\"")]
    public void Claims_OfAnotherLayer_AreRefused(string claims) =>
        Assert.Throws<LayerException>(() => Create("app", "shop:1", "shop:1", claims));

    [Fact]
    public void Claims_WithMistakes_AreRefusedWithAllOfThem()
    {
        var refused = Assert.Throws<ConfigurationException>(() => Create("app", "shop:1", "shop:1", "owns = [\"nothing\"]\nports = [\"80\"]\nowned = []"));

        Assert.Equal(3, refused.Mistakes.Count);
    }

    [Fact]
    public void Layer_ThatItsClaimsName_NeedsNoNameBesideThem()
    {
        new FakeAgent(_collector.NewStream(), "lab").Hello().Report(new FileTree { ["/srv/app"] = Some.File() });

        var made = _collector.Layers.Create(null, null, "shop:1", "lab", "name = \"app\"\nversion = \"2\"\nowner = \"acme\"", "default").Layer;

        Assert.Equal(("app:2", "acme"), (made.Name.ToString(), made.Owner));
        Assert.Throws<ConfigurationException>(() => _collector.Layers.Create(null, "acme", "shop:1", "lab", "name = \"app\"", "default"));
        Assert.Throws<ConfigurationException>(() => _collector.Layers.Create(Name("app:2"), null, "shop:1", "lab", "", "default"));
    }

    [Fact]
    public void Layer_SaysWhatCouldNotBeCompared()
    {
        var start = FileTree.OfSize(10);
        start["/etc/secret"] = Some.Secret(FleetKey.Random());
        start["/etc/locked"] = Some.File("a");
        new FakeAgent(_collector.NewStream(), "from").Hello().Report(start);
        var end = start.Copy();
        end["/srv/app"] = Some.File();
        end["/etc/secret"] = Some.Secret(FleetKey.Random());
        end["/etc/locked"] = Some.File("a") with { State = EntryState.Unreadable, Content = null };
        var gap = new Gap(EntryKind.File, EntryKey.OfPath("/var/lib/app"), "a filesystem that hangs");
        new FakeAgent(_collector.NewStream(), "to").Hello().Report(end, coverage: Some.Coverage with { Gaps = [gap] });

        var made = _collector.Layers.Create(Name("app:1"), "acme", "from", "to", "", "default");

        Assert.Single(_collector.Store.Read(transaction => made.Layer.Changes(transaction.Nodes).ToList()));
        Assert.Contains("/var/lib/app (a filesystem that hangs)", made.LeftOut, StringComparison.Ordinal);
        Assert.Contains("1 entry that could not be read", made.LeftOut, StringComparison.Ordinal);
        Assert.Contains("1 secret whose", made.LeftOut, StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_ComparesAsThePolicyOfTheLineItMakesSays()
    {
        Made("rival", tree => tree[CertifiedInstance.File] = Some.File("rival"));
        _collector.PolicyRegistry.Set($"name = \"lax\"\n[[rules]]\nmatch = [\"{CertifiedInstance.File}\"]\ntreat = \"presence\"", "lax.toml", "anna");
        _collector.Baselines.Compose(Name("kit:1"), Name("shop:1"), [Name("web:1")], Unresolved);
        _collector.Baselines.SetPolicy("kit", "lax");

        var composed = _collector.Baselines.Compose(Name("kit:2"), Name("shop:1"), [Name("motd:1"), Name("rival:1")], Unresolved);

        Assert.Equal("kit:2", composed.Name.ToString());
        Assert.Throws<BaselineException>(() => Compose("shop:2", "motd:1", "rival:1"));
    }

    [Theory]
    [InlineData(null, null, "default", 1)]
    [InlineData("kit", null, "lax", 0)]
    [InlineData("kit", "default", "default", 1)]
    [InlineData(null, "lax", "lax", 0)]
    public void Merge_ComparesAsTheLineThatWouldBeComposed(string? line, string? policy, string used, int conflicts)
    {
        Made("rival", tree => tree[CertifiedInstance.File] = Some.File("rival"));
        _collector.PolicyRegistry.Set($"name = \"lax\"\n[[rules]]\nmatch = [\"{CertifiedInstance.File}\"]\ntreat = \"presence\"", "lax.toml", "anna");
        _collector.Baselines.Compose(Name("kit:1"), Name("shop:1"), [Name("web:1")], Unresolved);
        _collector.Baselines.SetPolicy("kit", "lax");

        var merged = _collector.Layers.Merge(Name("shop:1"), [Name("motd:1"), Name("rival:1")], Unresolved, line, policy);

        Assert.Equal((used, conflicts), (merged.Policy, merged.Composed.Conflicts.Count));
    }

    [Fact]
    public void Deviations_OfAnOwner_AreThoseOfItsLayersAlone()
    {
        Compose("shop:2", "web:1", "motd:1");
        _instance.Tree["/srv/www/index.html"] = Some.File("defaced");
        _instance.Tree[CertifiedInstance.File] = Some.File("other");
        _instance.Tree["/srv/5/5"] = Some.File("base changed");
        _instance.Report();

        var found = _collector.Store.Read(transaction => transaction.Deviations.Page(new DeviationFilter(Owner: "web-vendor"), long.MaxValue, 10));

        Assert.Equal(EntryKey.OfPath("/srv/www/index.html"), Assert.Single(found).Key);
        Assert.Empty(_collector.Store.Read(transaction => transaction.Deviations.Page(new DeviationFilter(Owner: "web"), long.MaxValue, 10)));
    }

    [Fact]
    public void Severity_ThatAVendorGives_CountsForItsOwnAndBehindThePolicy()
    {
        const string Claims = "owns = [\"/srv/www\"]\n[[severities]]\nmatch = [\"/srv\"]\nseverity = \"critical\"";
        new FakeAgent(_collector.NewStream(), "lab").Hello().Report(With(FileTree.OfSize(500), "/srv/www/index.html", "hello"));
        Create("loud", "shop:1", "lab", Claims);
        Compose("shop:2", "loud:1");
        _collector.Baselines.Retire(Name("shop:1"));
        _instance.Tree["/srv/www/index.html"] = Some.File("defaced");
        _instance.Tree["/srv/www/shell.php"] = Some.File("added");
        _instance.Tree["/srv/5/5"] = Some.File("of the base");
        _instance.Report();
        var before = Severities();

        _collector.PolicyRegistry.Set("name = \"quiet\"\n[[rules]]\nmatch = [\"/srv/www/shell.php\"]\nseverity = \"low\"", "quiet.toml", "anna");
        _collector.Baselines.SetPolicy("shop", "quiet");

        Assert.Equal([("srv/5/5", Severity.Medium), ("srv/www/index.html", Severity.Critical), ("srv/www/shell.php", Severity.Critical)], before);
        Assert.Equal([("srv/5/5", Severity.Medium), ("srv/www/index.html", Severity.Critical), ("srv/www/shell.php", Severity.Low)], Severities());
    }

    [Fact]
    public void Compose_OfWhatIsInConflict_IsRefusedUnlessItIsSettled()
    {
        Made("rival", tree => tree[CertifiedInstance.File] = Some.File("rival"));

        var refused = Assert.Throws<BaselineException>(() => Compose("shop:2", "motd:1", "rival:1"));
        var composed = _collector.Baselines.Compose(
            Name("shop:2"), Name("shop:1"), [Name("motd:1"), Name("rival:1")], new Dictionary<string, string> { [CertifiedInstance.File] = "rival" });

        Assert.Contains("motd:1 and rival:1", refused.Message, StringComparison.Ordinal);
        Assert.Contains(CertifiedInstance.File, refused.Message, StringComparison.Ordinal);
        Assert.Equal("rival", _collector.Store.Read(transaction => transaction.Baselines.Find(composed.Name))!.Resolutions[CertifiedInstance.File]);
    }

    [Fact]
    public void Compose_OfTwoVersionsOfALayer_IsRefused()
    {
        Made("web", tree => tree["/srv/www/index.html"] = Some.File("hello again"), "2");

        Assert.Throws<LayerException>(() => Compose("shop:2", "web:1", "web:2"));
    }

    [Fact]
    public void Compose_OnAComposedVersion_GoesOnTopOfItsLayers()
    {
        Compose("shop:2", "web:1");

        var composed = _collector.Baselines.Compose(Name("shop:3"), Name("shop:2"), [Name("motd:1")], Unresolved);

        Assert.Equal(_collector.Baselines.Compose(Name("shop:4"), Name("shop:1"), [Name("web:1"), Name("motd:1")], Unresolved).Roots, composed.Roots);
    }

    [Fact]
    public void Sweep_LeavesWhatOnlyALayerHas()
    {
        var sweep = new NodeSweep(_collector.Store);
        sweep.Run(TestContext.Current.CancellationToken);
        sweep.Run(TestContext.Current.CancellationToken);

        var changes = _collector.Store.Read(transaction => transaction.Layers.All().SelectMany(layer => layer.Changes(transaction.Nodes)).Count());

        Assert.Equal(2, changes);
    }

    private IEnumerable<(string Key, Severity Severity)> Severities() =>
        _collector.Deviations(openOnly: true).Select(deviation => (deviation.Key.ToString(), deviation.Severity)).Order().ToList();

    private static FileTree With(FileTree tree, string path, string content)
    {
        tree[path] = Some.File(content);
        return tree;
    }

    private static VersionName Name(string text) => VersionName.TryParse(text)!;

    private Baseline Compose(string name, params string[] layers) =>
        _collector.Baselines.Compose(Name(name), Name("shop:1"), [.. layers.Select(Name)], Unresolved);

    private Layer Create(string name, string from, string to, string claims = "", string version = "1") =>
        _collector.Layers.Create(new VersionName(name, version), name + "-vendor", from, to, claims, "default").Layer;

    /// <summary>A layer of what an instance became, which then goes back to what it was.</summary>
    private void Made(string name, Action<FileTree> change, string version = "1")
    {
        var agent = new FakeAgent(_collector.NewStream(), "maker").Hello();
        var tree = FileTree.OfSize(500);
        change(tree);
        agent.Report(tree, ++_sequence);
        Create(name, "shop:1", "maker", version: version);
    }

    private ulong _sequence;
}
