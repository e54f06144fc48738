using Telemetry.Collector.Layers;

namespace Telemetry.Collector.Tests.Layers;

/// <summary>A conflict that was settled is settled between its sides, and no later layer's loss.</summary>
public sealed class SettledConflictTests
{
    private const string Motd = "/etc/motd";

    private static readonly Dictionary<string, string> OneIsRight = new() { [Motd] = "one" };

    private readonly Kit _kit = new(new FileTree { [Motd] = Some.File("welcome"), ["/usr/bin/tool"] = Some.File("tool") });
    private readonly Layer _one, _other;

    public SettledConflictTests()
    {
        _one = _kit.Layer("one", tree => tree[Motd] = Some.File("one"));
        _other = _kit.Layer("other", tree => tree[Motd] = Some.File("other"));
    }

    [Fact]
    public void Layer_MadeOnTheSideThatIsRight_TakesOverFromIt()
    {
        var later = _kit.Layer("later", tree => tree[Motd] = Some.File("later"), on: new FileTree { [Motd] = Some.File("one") });

        var composed = _kit.Compose(OneIsRight, _one, _other, later);

        Assert.Empty(composed.Conflicts);
        Assert.Equal(Some.File("later"), _kit.Find(composed.Roots, Motd));
        Assert.Null(composed.ProblemOf(OneIsRight));
    }

    [Fact]
    public void Layer_ThatWantsWhatTheOtherSideHad_TakesOverWithThat()
    {
        var later = _kit.Layer("later", tree => tree[Motd] = Some.File("other"), on: new FileTree { [Motd] = Some.File("one") });

        Assert.Equal(Some.File("other"), _kit.Find(_kit.Compose(OneIsRight, _one, _other, later).Roots, Motd));
    }

    [Fact]
    public void Layer_MadeOnTheSideThatIsWrong_ChangesNothing()
    {
        var later = _kit.Layer("later", tree => tree[Motd] = Some.File("later"), on: new FileTree { [Motd] = Some.File("other") });

        Assert.Equal(Some.File("one"), _kit.Find(_kit.Compose(OneIsRight, _one, _other, later).Roots, Motd));
    }

    [Fact]
    public void Layer_BehindTheOneThatTookOver_ConflictsWithThat()
    {
        var later = _kit.Layer("later", tree => tree[Motd] = Some.File("later"), on: new FileTree { [Motd] = Some.File("one") });
        var last = _kit.Layer("last", tree => tree[Motd] = Some.File("last"));

        var conflict = Assert.Single(_kit.Compose(OneIsRight, _one, _other, later, last).Conflicts);

        Assert.Equal(["later:1", "last:1"], conflict.Sides.Select(side => side.Layer));
    }

    [Theory]
    [InlineData("/usr/bin/tool", "one")]
    [InlineData("/etc/modt", "one")]
    [InlineData("port:tcp/80", "one")]
    public void Resolution_OfNoConflict_IsUseless(string key, string winner)
    {
        var resolutions = new Dictionary<string, string> { [Motd] = "one", [key] = winner };

        Assert.Contains(key, _kit.Compose(resolutions, _one, _other).ProblemOf(resolutions), StringComparison.Ordinal);
    }

    [Fact]
    public void Resolution_ThatNamesNoSide_IsAProblemThatNamesThoseThereAre()
    {
        var resolutions = new Dictionary<string, string> { [Motd] = "somebody" };

        var composed = _kit.Compose(resolutions, _one, _other);

        Assert.Single(composed.Conflicts);
        Assert.Contains($"--resolve {Motd}=one or =other", composed.ProblemOf(resolutions), StringComparison.Ordinal);
    }
}
