using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class LayerStackTests : IDisposable
{
    private const string Limits = "/etc/security/limits.conf";

    private readonly Collector _collector = new();
    private ulong _sequence;

    public LayerStackTests()
    {
        Report("maker", _ => { });
        _collector.Baselines.Capture(Name("base:1"), "maker");
        Layer("web:1", Web);
        Layer("cache:1", Cache);
        Layer("rival:1", tree => tree["/srv/www"] = Some.File("rival"));
    }

    public void Dispose() => _collector.Dispose();

    [Theory]
    [InlineData("base:1+web:1+cache:1", "base:1", "web:1", "cache:1")]
    [InlineData("base:1.0+deb12u1+web:2.4+b1+cache:1", "base:1.0+deb12u1", "web:2.4+b1", "cache:1")]
    [InlineData("base:1+deb12u1")]
    [InlineData("base:1")]
    [InlineData("base:1+")]
    [InlineData("+web:1")]
    [InlineData("i-1+web:1")]
    [InlineData("i-1@2026-03-03T10:00+02:00")]
    public void TryParse_Names_AreTakenApartWhereOneBegins(string text, params string[] names)
    {
        var stack = LayerStack.TryParse(text);

        Assert.Equal(names, stack is null ? [] : stack.Layers.Prepend(stack.Base).Select(name => name.ToString()));
        Assert.Equal(names.Length == 0 ? null : text, stack?.ToString());
    }

    [Fact]
    public void Stack_IsTheBaselineThatIsComposedOfIt()
    {
        var stack = Compose("base:1+web:1+cache:1");

        var composed = _collector.Baselines.Compose(Name("shop:1"), Name("base:1"), [Name("web:1"), Name("cache:1")], ImmutableDictionary<string, string>.Empty);

        Assert.Equal(composed.Roots, stack.Roots);
        Assert.Equal(composed.Coverage, stack.Coverage);
    }

    [Fact]
    public void Instance_OnWhichTheLayersAreInstalled_DiffersInNothing()
    {
        Report("i-1", tree =>
        {
            Web(tree);
            Cache(tree);
            tree[Limits] = Some.File("web and cache");
            tree.Setting(Limits + "##order", "web, cache");
        });
        Assert.Empty(Diff("base:1+web:1+cache:1", "i-1"));
        Assert.Empty(Diff("i-1", "base:1+web:1+cache:1"));

        Report("i-1", tree =>
        {
            Web(tree);
            Cache(tree);
            tree[Limits] = Some.File("tampered");
            tree.Setting(Limits + "#cache", "3").Setting(Limits + "##order", "web, cache");
        });
        Assert.Equal([$"setting:{Limits}#cache"], Diff("base:1+web:1+cache:1", "i-1"));
        Assert.Equal([Limits, "/srv/www", $"setting:{Limits}#\\x23order", $"setting:{Limits}#web"], Diff("base:1+web:1", "base:1"));
    }

    [Fact]
    public void Stack_InConflict_IsRefusedWithTheFirst()
    {
        var refused = Assert.Throws<LayerException>(() => Compose("base:1+web:1+cache:1+rival:1"));

        Assert.Contains("web:1 and rival:1 about /srv/www", refused.Message, StringComparison.Ordinal);
        Assert.Contains("layers merge base:1 web:1 cache:1 rival:1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stack_OfWhatIsNotThere_IsRefusedByName()
    {
        Assert.Contains("'web:9'", Assert.Throws<LayerException>(() => Compose("base:1+web:9")).Message, StringComparison.Ordinal);
        Assert.Contains("'none:1'", Assert.Throws<BaselineException>(() => Compose("none:1+web:1")).Message, StringComparison.Ordinal);
    }

    private static void Web(FileTree tree)
    {
        tree["/srv/www"] = Some.File("hello");
        tree[Limits] = Some.File("web");
        tree.Setting(Limits + "#web", "1").Setting(Limits + "##order", "web");
    }

    private static void Cache(FileTree tree)
    {
        tree["/srv/cache"] = Some.File("cache");
        tree[Limits] = Some.File("cache");
        tree.Setting(Limits + "#cache", "2").Setting(Limits + "##order", "cache");
    }

    private static VersionName Name(string text) => VersionName.TryParse(text)!;

    private void Layer(string name, Action<FileTree> change)
    {
        Report("maker", change);
        _collector.Layers.Create(Name(name), "acme", "base:1", "maker", "", "default");
    }

    private void Report(string id, Action<FileTree> change)
    {
        var tree = new FileTree { [Limits] = Some.File("empty") };
        change(tree);
        new FakeAgent(_collector.NewStream(), id).Hello().Report(tree, ++_sequence, coverage: Some.SettingCoverage);
    }

    private StoredState Compose(string stack) => _collector.Store.Read(transaction =>
        LayerStack.TryParse(stack)!.Compose(transaction, _collector.Policies, _collector.Seals, new MemoryNodes()));

    /// <summary>Keys of what <c>diff</c> shows.</summary>
    private List<string> Diff(string left, string right) => _collector.Store.Read(transaction =>
    {
        var nodes = new MemoryNodes(transaction.Nodes);
        var (before, after) = (Find(left), Find(right));
        return StateComparison.Between(nodes, before.Roots, after.Roots, new CoverageOverlap(before.Coverage, after.Coverage)).Differences
            .Select(difference => KeyText.Format(difference.Kind, difference.Change.Key.Bytes))
            .ToList();

        StoredState Find(string name) =>
            LayerStack.TryParse(name)?.Compose(transaction, _collector.Policies, _collector.Seals, nodes) ?? StoredState.Find(transaction, name, _collector.Time.GetUtcNow());
    });
}
