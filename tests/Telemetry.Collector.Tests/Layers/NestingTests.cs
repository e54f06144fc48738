using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Layers;

/// <summary>What is below something that is no directory, no machine can have.</summary>
public sealed class NestingTests
{
    private readonly Kit _kit = new(new FileTree
    {
        ["/opt/dir"] = Directory,
        ["/opt/dir/old"] = Some.File("old"),
        ["/opt/file"] = Some.File("file"),
    });

    private static Fingerprint Directory => new() { Type = FileType.Directory, Mode = 0b111_101_101, Uid = 0, Gid = 0 };

    private static Fingerprint Link => new Fingerprint { Type = FileType.Symlink, Uid = 0, Gid = 0 }.WithTarget("/elsewhere"u8);

    private Layer Adds => _kit.Layer("adds", tree => tree["/opt/dir/new"] = Some.File("new"));

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void FileBelowWhatAnotherLayerTakesAway_IsAConflictThatNamesBoth(bool isLink, bool addsFirst)
    {
        var takes = Takes(isLink);

        var conflict = Assert.Single(_kit.Compose(addsFirst ? [Adds, takes] : [takes, Adds]).Conflicts);

        Assert.Equal((ConflictKind.File, "/opt/dir"), (conflict.Kind, conflict.Key));
        Assert.Equal(["adds:1 of adds-vendor", "takes:1 of takes-vendor"], conflict.Sides.Select(side => $"{side.Layer} of {side.Owner}").Order());
        var lower = conflict.Sides.Single(side => side.Layer == "adds:1").Text!;
        Assert.StartsWith("/opt/dir/new in it: file ", lower, StringComparison.Ordinal);
        Assert.Equal(isLink ? Link : null, conflict.Sides.Single(side => side.Layer == "takes:1").Entry);
    }

    [Fact]
    public void Settled_ForTheUpper_LeavesOutWhatIsBelow()
    {
        var composed = _kit.Compose(new Dictionary<string, string> { ["/opt/dir"] = "takes" }, Adds, Takes(isLink: true));

        Assert.Empty(composed.Conflicts);
        Assert.Equal(Link, _kit.Find(composed.Roots, "/opt/dir"));
        Assert.Null(_kit.Find(composed.Roots, "/opt/dir/new"));
        Assert.Equal("as takes:1 has it; left out: 1 file of adds:1 below it", composed.Settled["/opt/dir"]);
    }

    [Fact]
    public void Settled_ForTheLower_KeepsTheDirectory()
    {
        var composed = _kit.Compose(new Dictionary<string, string> { ["/opt/dir"] = "adds" }, Adds, Takes(isLink: true));

        Assert.Empty(composed.Conflicts);
        Assert.Equal(Directory, _kit.Find(composed.Roots, "/opt/dir"));
        Assert.Equal(Some.File("new"), _kit.Find(composed.Roots, "/opt/dir/new"));
    }

    [Fact]
    public void FileBelowAFileOfTheBase_IsAConflictWithIt()
    {
        var adds = _kit.Layer("adds", tree => tree["/opt/file/new"] = Some.File("new"));

        var conflict = Assert.Single(_kit.Compose(adds).Conflicts);

        Assert.Equal("/opt/file", conflict.Key);
        Assert.Equal(["base:1", "adds:1"], conflict.Sides.Select(side => side.Layer));
    }

    [Fact]
    public void LayerThatTakesAwayADirectoryWithAllThatIsInIt_IsNoConflict() =>
        Assert.Empty(_kit.Compose(Takes(isLink: false), _kit.Layer("beside", tree => tree["/opt/directory"] = Some.File())).Conflicts);

    private Layer Takes(bool isLink) => _kit.Layer("takes", tree =>
    {
        tree.Remove("/opt/dir/old");
        if (isLink)
            tree["/opt/dir"] = Link;
        else
            tree.Remove("/opt/dir");
    });
}
