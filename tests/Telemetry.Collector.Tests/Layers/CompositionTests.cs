using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Layers;

public sealed class CompositionTests
{
    private readonly Kit _kit = new(new FileTree
    {
        ["/etc/motd"] = Some.File("welcome"),
        ["/etc/passwd"] = Some.File("root"),
        ["/usr/bin/tool"] = Some.File("tool", 0b111_101_101),
    }
        .Setting("/etc/passwd#root/uid", "0")
        .Setting("/etc/passwd#games/uid", "5"));

    [Fact]
    public void Layers_ThatWriteDifferentKeys_GiveTheTreeThatHasBoth()
    {
        var web = _kit.Layer("web", tree => tree["/srv/index.html"] = Some.File("hello"));
        var quiet = _kit.Layer("quiet", tree => tree.Remove("/etc/motd"));

        var composed = _kit.Compose(web, quiet);

        Assert.Empty(composed.Conflicts);
        Assert.Equal(Some.File("hello"), _kit.Find(composed.Roots, "/srv/index.html"));
        Assert.Null(_kit.Find(composed.Roots, "/etc/motd"));
        Assert.Equal(2, composed.Changes);
    }

    [Fact]
    public void Key_ThatTwoLayersWriteDifferently_IsAConflictThatNamesBoth()
    {
        var one = _kit.Layer("one", tree => tree["/etc/motd"] = Some.File("one"));
        var other = _kit.Layer("other", tree => tree.Remove("/etc/motd"));

        var conflict = Assert.Single(_kit.Compose(one, other).Conflicts);

        Assert.Equal((ConflictKind.File, "/etc/motd"), (conflict.Kind, conflict.Key));
        Assert.Equal(
            [("one:1", "one-vendor", Some.File("one")), ("other:1", "other-vendor", null)],
            conflict.Sides.Select(side => (side.Layer, side.Owner, side.Entry)));
    }

    [Fact]
    public void Key_ThatThreeLayersWrite_IsOneConflictOfAllThatDiffer()
    {
        var layers = new[] { "a", "b", "a" }.Select((content, index) => _kit.Layer($"l{index}", tree => tree["/srv/x"] = Some.File(content)));

        var conflict = Assert.Single(_kit.Compose([.. layers]).Conflicts);

        Assert.Equal(["l0:1", "l1:1"], conflict.Sides.Select(side => side.Layer));
    }

    [Fact]
    public void Key_ThatTwoLayersWriteAlike_IsNoConflict()
    {
        var one = _kit.Layer("one", tree => tree.Put("package:dpkg/libssl3:amd64", Some.Package("3.0.15")));
        var other = _kit.Layer("other", tree => tree.Put("package:dpkg/libssl3:amd64", Some.Package("3.0.15")));

        Assert.Empty(_kit.Compose(one, other).Conflicts);
    }

    [Fact]
    public void Package_OfTwoVersions_IsAConflict()
    {
        var one = _kit.Layer("one", tree => tree.Put("package:dpkg/libssl3:amd64", Some.Package("3.0.15")));
        var other = _kit.Layer("other", tree => tree.Put("package:dpkg/libssl3:amd64", Some.Package("3.0.16")));

        var conflict = Assert.Single(_kit.Compose(one, other).Conflicts);

        Assert.Equal((ConflictKind.Package, "package:dpkg/libssl3:amd64"), (conflict.Kind, conflict.Key));
    }

    [Fact]
    public void Layer_MadeOnAnother_TakesOverFromIt()
    {
        var first = new FileTree { ["/etc/motd"] = Some.File("first") };
        var below = _kit.Layer("below", tree => tree["/etc/motd"] = Some.File("first"));
        var above = _kit.Layer("above", tree => tree["/etc/motd"] = Some.File("second"), on: first);

        var composed = _kit.Compose(below, above);

        Assert.Empty(composed.Conflicts);
        Assert.Equal(Some.File("second"), _kit.Find(composed.Roots, "/etc/motd"));
    }

    [Fact]
    public void Layer_MadeOfAnotherBase_ConflictsWithThisOneWhereItDiffers()
    {
        var stranger = _kit.Layer("stranger", tree => tree["/etc/motd"] = Some.File("mine"), on: new FileTree { ["/etc/motd"] = Some.File("theirs") });

        var conflict = Assert.Single(_kit.Compose(stranger).Conflicts);

        Assert.Equal(["base:1", "stranger:1"], conflict.Sides.Select(side => side.Layer));
    }

    [Theory]
    [InlineData("one", "one")]
    [InlineData("other", "other")]
    public void Conflict_ThatIsSettled_GivesWhatTheWinnerWants(string winner, string content)
    {
        var one = _kit.Layer("one", tree => tree["/etc/motd"] = Some.File("one"));
        var other = _kit.Layer("other", tree => tree["/etc/motd"] = Some.File("other"));

        var composed = _kit.Compose(new Dictionary<string, string> { ["/etc/motd"] = winner }, one, other);

        Assert.Empty(composed.Conflicts);
        Assert.Equal(Some.File(content), _kit.Find(composed.Roots, "/etc/motd"));
    }

    [Fact]
    public void Files_ThatOnlyGrow_AreNoConflictForWhatTheyHold()
    {
        _kit.Policy = PolicyFile.Parse("name = \"test\"\n[[rules]]\nmatch = [\"/var/log\"]\ntreat = \"growing\"", "test");
        var one = _kit.Layer("one", tree => tree["/var/log/app"] = Some.File("a"));
        var other = _kit.Layer("other", tree => tree["/var/log/app"] = Some.File("b"));

        Assert.Empty(_kit.Compose(one, other).Conflicts);
    }

    [Fact]
    public void File_OfWhichLayersOwnDifferentSettings_IsSharedSettingBySetting()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "100"));
        var other = _kit.Layer("other", tree => WithUser(tree, "redis", "101"));

        var composed = _kit.Compose(one, other);

        Assert.Empty(composed.Conflicts);
        Assert.Equal([EntryKey.OfPath("/etc/passwd")], composed.SharedFiles);
        Assert.True(ContentBySettings.Is(_kit.Find(composed.Roots, "/etc/passwd")));
        Assert.Equal("100", _kit.Find(composed.Roots, "setting:/etc/passwd#mysql/uid")!.Value.ToString());
        Assert.Equal("101", _kit.Find(composed.Roots, "setting:/etc/passwd#redis/uid")!.Value.ToString());
    }

    [Fact]
    public void File_OfWhichLayersSetOneSettingDifferently_IsAConflictOfThatSetting()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "app", "100"));
        var other = _kit.Layer("other", tree => WithUser(tree, "app", "101"));

        var conflict = Assert.Single(_kit.Compose(one, other).Conflicts);

        Assert.Equal((ConflictKind.Setting, "setting:/etc/passwd#app/uid"), (conflict.Kind, conflict.Key));
    }

    [Fact]
    public void File_OfWhichALayerTellsNoSettings_StaysAConflict()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "100"));
        var other = _kit.Layer("other", tree => tree["/etc/passwd"] = Some.File("with redis"));

        Assert.Equal("/etc/passwd", Assert.Single(_kit.Compose(one, other).Conflicts).Key);
    }

    [Fact]
    public void File_OfWhichLayersChangeTheOwnerToo_StaysAConflict()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "100"));
        var other = _kit.Layer("other", tree =>
        {
            WithUser(tree, "redis", "101");
            tree["/etc/passwd"] = Some.File("with redis", 0b111_111_111);
        });

        Assert.Equal("/etc/passwd", Assert.Single(_kit.Compose(one, other).Conflicts).Key);
    }

    [Fact]
    public void SharedFile_WhoseModeALayerOnTopChanges_IsSharedWithThatMode()
    {
        var shared = ContentBySettings.Of(Some.File());
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "100"));
        var other = _kit.Layer("other", tree => WithUser(tree, "redis", "101"));
        var strict = _kit.Layer("strict", tree => tree["/etc/passwd"] = shared with { Mode = 0b110_000_000 }, on: new FileTree { ["/etc/passwd"] = shared });

        var composed = _kit.Compose(one, other, strict);

        Assert.Empty(composed.Conflicts);
        Assert.Equal(shared with { Mode = 0b110_000_000 }, _kit.Find(composed.Roots, "/etc/passwd"));
        Assert.Equal([EntryKey.OfPath("/etc/passwd")], composed.SharedFiles);
        Assert.Equal("101", _kit.Find(composed.Roots, "setting:/etc/passwd#redis/uid")!.Value.ToString());
    }

    [Fact]
    public void SharedFile_HasItsSettingsInTheOrderOfEach()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "100").Setting("/etc/passwd##order", "root, mysql"));
        var other = _kit.Layer("other", tree => WithUser(tree, "redis", "101").Setting("/etc/passwd##order", "root, redis"));
        var onTop = _kit.Layer(
            "top",
            tree => tree.Setting("/etc/passwd##order", "top, root, mysql, redis").Setting("/etc/passwd#top/uid", "102"),
            on: new FileTree { ["/etc/passwd"] = ContentBySettings.Of(Some.File()) }.Setting("/etc/passwd##order", "root, mysql, redis"));

        Assert.Equal("root, mysql, redis", OrderOf(_kit.Compose(one, other)));
        Assert.Equal("root, redis, mysql", OrderOf(_kit.Compose(other, one)));
        Assert.Equal("top, root, mysql, redis", OrderOf(_kit.Compose(one, other, onTop)));
    }

    [Fact]
    public void SharedFile_OfWhichOneOrderIsTooLongToBeKnown_HasThatOfTheLastLayer()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "100").Setting("/etc/passwd##order", new string('x', 2_000)));
        var other = _kit.Layer("other", tree => WithUser(tree, "redis", "101").Setting("/etc/passwd##order", "root, redis"));

        Assert.Equal("root, redis", OrderOf(_kit.Compose(one, other)));
    }

    private string? OrderOf(Composed composed)
    {
        Assert.Empty(composed.Conflicts);
        return TreeReader.Find(_kit.Nodes, composed.Roots.Setting, SettingKey.OrderOf(EntryKey.OfPath("/etc/passwd")))?.Value?.ToString();
    }

    [Fact]
    public void Accounts_OfOneNumber_AreAConflictThatNamesBoth()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "100"));
        var other = _kit.Layer("other", tree => WithUser(tree, "redis", "100"));

        var conflict = Assert.Single(_kit.Compose(one, other).Conflicts);

        Assert.Equal((ConflictKind.Account, "account:/etc/passwd#100"), (conflict.Kind, conflict.Key));
        Assert.Equal(["one:1", "other:1"], conflict.Sides.Select(side => side.Layer));
        Assert.Equal(["uid 100 is mysql", "uid 100 is redis"], conflict.Sides.Select(side => side.Text));
    }

    [Fact]
    public void Groups_OfOneNumber_AreAConflictThatNamesBoth()
    {
        var one = _kit.Layer("one", tree => WithGroup(tree, "mysql", "120"));
        var other = _kit.Layer("other", tree => WithGroup(tree, "redis", "120"));

        var conflict = Assert.Single(_kit.Compose(one, other).Conflicts);

        Assert.Equal((ConflictKind.Account, "account:/etc/group#120"), (conflict.Kind, conflict.Key));
        Assert.Equal([("one:1", "gid 120 is mysql"), ("other:1", "gid 120 is redis")], conflict.Sides.Select(side => (side.Layer, side.Text!)));
    }

    [Fact]
    public void UserAndGroup_OfOneNumber_AreNoConflict()
    {
        var one = _kit.Layer("one", tree => WithGroup(WithUser(tree, "mysql", "120"), "mysql", "120"));

        Assert.Empty(_kit.Compose(one).Conflicts);
    }

    [Fact]
    public void Account_OfANumberOfTheBase_IsAConflictWithIt()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "mysql", "5"));

        Assert.Equal(["base:1", "one:1"], Assert.Single(_kit.Compose(one).Conflicts).Sides.Select(side => side.Layer));
    }

    [Fact]
    public void Port_ThatTwoLayersListenOn_IsAConflict()
    {
        var one = _kit.Layer("one", tree => tree["/srv/a"] = Some.File(), "ports = [\"tcp/80\", \"tcp/443\"]");
        var other = _kit.Layer("other", tree => tree["/srv/b"] = Some.File(), "ports = [\"tcp/80\"]");

        var conflict = Assert.Single(_kit.Compose(one, other).Conflicts);

        Assert.Equal((ConflictKind.Port, "port:tcp/80"), (conflict.Kind, conflict.Key));
        Assert.Equal(["one:1", "other:1"], conflict.Sides.Select(side => side.Layer));
    }

    [Theory]
    [InlineData("one", 0)]
    [InlineData("somebody", 1)]
    public void Port_IsSettledByNamingWhoListens(string winner, int conflicts)
    {
        var one = _kit.Layer("one", tree => tree["/srv/a"] = Some.File(), "ports = [\"tcp/80\"]");
        var other = _kit.Layer("other", tree => tree["/srv/b"] = Some.File(), "ports = [\"tcp/80\"]");

        Assert.Equal(conflicts, _kit.Compose(new Dictionary<string, string> { ["port:tcp/80"] = winner }, one, other).Conflicts.Count);
    }

    [Fact]
    public void Account_WithANameThatATerminalWouldObey_IsShownEscaped()
    {
        var one = _kit.Layer("one", tree => WithUser(tree, "a\u001b[31m", "5"));

        Assert.All(Assert.Single(_kit.Compose(one).Conflicts).Sides, side => Assert.DoesNotContain('\u001b', side.Text!));
    }

    private static FileTree WithUser(FileTree tree, string name, string uid)
    {
        tree["/etc/passwd"] = Some.File("with " + name);
        return tree.Setting($"/etc/passwd#{name}/uid", uid);
    }

    private static FileTree WithGroup(FileTree tree, string name, string gid)
    {
        tree["/etc/group"] = Some.File("with " + name);
        return tree.Setting($"/etc/group#{name}/gid", gid);
    }
}
