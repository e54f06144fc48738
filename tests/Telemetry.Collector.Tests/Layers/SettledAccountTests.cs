using Telemetry.Collector.Layers;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Layers;

/// <summary>Two accounts of one number: whose stays is said, and the other is not there.</summary>
public sealed class SettledAccountTests
{
    private const string Hundred = "account:/etc/passwd#100";

    private readonly Kit _kit;
    private readonly Layer _one, _other;

    public SettledAccountTests()
    {
        var start = new FileTree { ["/etc/passwd"] = Some.File("root"), ["/etc/shadow"] = Some.File("root"), ["/etc/group"] = Some.File("root") }
            .Setting("/etc/passwd#root/uid", "0").Setting("/etc/passwd#games/uid", "5").Setting("/etc/passwd#games/shell", "/bin/sh")
            .Setting("/etc/shadow#root/password", "!").Setting("/etc/group#adm/gid", "4");
        _kit = new Kit(start);
        _one = _kit.Layer("one", tree => With(tree, "mysql", "100"));
        _other = _kit.Layer("other", tree =>
        {
            With(tree, "redis", "100");
            tree.Setting("/etc/group#adm/user/redis", "").Setting("/etc/group#redis/gid", "120");
            tree["/etc/group"] = Some.File("with redis");
            tree["/var/lib/redis"] = Some.File() with { Uid = 100 };
        });
    }

    [Fact]
    public void Number_ThatOneSideIsRightAbout_LeavesTheOthersAccountOutOfEveryFile()
    {
        var composed = Compose("one", _one, _other);

        Assert.Empty(composed.Conflicts);
        Assert.Equal("100", Value(composed, "/etc/passwd#mysql/uid"));
        Assert.Equal("x", Value(composed, "/etc/shadow#mysql/password"));
        foreach (var gone in (string[])["/etc/passwd#redis/uid", "/etc/passwd#redis/shell", "/etc/shadow#redis/password", "/etc/group#adm/user/redis"])
            Assert.Null(Value(composed, gone));
        Assert.Equal("120", Value(composed, "/etc/group#redis/gid"));
        Assert.All((string[])["/etc/passwd", "/etc/shadow", "/etc/group"], file => Assert.True(ContentBySettings.Is(_kit.Find(composed.Roots, file)), file));
        Assert.Equal(3, composed.SharedFiles.Count);
        Assert.Equal(
            "uid 100 is mysql of one:1; left out: redis of other:1, 4 settings of /etc/group and /etc/passwd and /etc/shadow; 1 file of other:1 with uid 100 will be mysql's",
            composed.Settled[Hundred]);
        Assert.Null(composed.ProblemOf(new Dictionary<string, string> { [Hundred] = "one" }));
    }

    [Theory]
    [InlineData("00", "0")]
    [InlineData("+0", "0")]
    [InlineData(" 0", "0")]
    [InlineData("-0", "0")]
    [InlineData("0000000000000000000000005", "5")]
    public void Number_WrittenInAnotherWay_IsTheSame(string written, string number)
    {
        var conflict = Assert.Single(_kit.Compose(_kit.Layer("evil", tree => With(tree, "evil", written))).Conflicts);

        Assert.Equal($"account:/etc/passwd#{number}", conflict.Key);
        Assert.Contains(conflict.Sides, side => side.Text == $"uid {number} is evil");
    }

    [Theory]
    [InlineData("4294967295", "-1")]
    [InlineData("4294967295", "4294967296")]
    [InlineData("4294967295", "99999999999999999999999999")]
    public void Number_ThatIsTooMuch_IsTheHighest(string one, string other)
    {
        var composed = _kit.Compose(_kit.Layer("one", tree => With(tree, "a", one)), _kit.Layer("other", tree => With(tree, "b", other)));

        Assert.Equal("account:/etc/passwd#4294967295", Assert.Single(composed.Conflicts).Key);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x0")]
    [InlineData("0 ")]
    [InlineData("+")]
    [InlineData("root")]
    public void Number_ThatIsNone_IsRefused(string value)
    {
        var composed = _kit.Compose(_kit.Layer("evil", tree => With(tree, "evil", value)));

        var conflict = Assert.Single(composed.Conflicts);
        Assert.Equal((ConflictKind.Account, "setting:/etc/passwd#evil/uid"), (conflict.Kind, conflict.Key));
        Assert.Equal("evil:1", Assert.Single(conflict.Sides).Layer);
        Assert.Contains("is no number", conflict.Sides[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Number_ThatTheBaseLoses_LeavesItsAccountOut()
    {
        var layer = _kit.Layer("one", tree => With(tree, "mysql", "5"));

        var composed = _kit.Compose(new Dictionary<string, string> { ["account:/etc/passwd#5"] = "one" }, layer);

        Assert.Empty(composed.Conflicts);
        Assert.Null(Value(composed, "/etc/passwd#games/uid"));
        Assert.Null(Value(composed, "/etc/passwd#games/shell"));
        Assert.Equal("5", Value(composed, "/etc/passwd#mysql/uid"));
        Assert.True(ContentBySettings.Is(_kit.Find(composed.Roots, "/etc/passwd")));
    }

    [Fact]
    public void Number_ThatTheBaseKeeps_LeavesTheLayersAccountOut()
    {
        var layer = _kit.Layer("one", tree => With(tree, "mysql", "5"));

        var composed = _kit.Compose(new Dictionary<string, string> { ["account:/etc/passwd#5"] = "base" }, layer);

        Assert.Empty(composed.Conflicts);
        Assert.Equal("5", Value(composed, "/etc/passwd#games/uid"));
        Assert.Null(Value(composed, "/etc/passwd#mysql/shell"));
        Assert.True(ContentBySettings.Is(_kit.Find(composed.Roots, "/etc/passwd")));
    }

    [Fact]
    public void Number_ThatSeveralMayShare_IsThatOfAllOfThem()
    {
        var layer = _kit.Layer("one", tree => With(tree, "toor", "0"));

        var composed = _kit.Compose(new Dictionary<string, string> { ["account:/etc/passwd#0"] = "base+one" }, layer);

        Assert.Empty(composed.Conflicts);
        Assert.Equal(("0", "0"), (Value(composed, "/etc/passwd#root/uid"), Value(composed, "/etc/passwd#toor/uid")));
        Assert.Equal("uid 0 is root of base:1 and toor of one:1, who share it", composed.Settled["account:/etc/passwd#0"]);
        Assert.Equal(Some.File("with toor"), _kit.Find(composed.Roots, "/etc/passwd"));
    }

    [Theory]
    [InlineData("one+modt")]
    [InlineData("nobody")]
    [InlineData("")]
    public void Number_GivenToWhoIsNotThere_StaysAConflictAndAProblemThatNamesTheSides(string winner)
    {
        var composed = Compose(winner, _one, _other);

        Assert.Equal(Hundred, Assert.Single(composed.Conflicts).Key);
        Assert.Contains($"--resolve '{Hundred}'=one or =other, or =one+other", composed.ProblemOf(new Dictionary<string, string> { [Hundred] = winner }), StringComparison.Ordinal);
    }

    [Fact]
    public void Group_ThatLosesItsNumber_IsLeftOutAndItsNamesakeUserIsNot()
    {
        var one = _kit.Layer("one", tree => tree.Setting("/etc/group#mysql/gid", "120")["/etc/group"] = Some.File("with mysql"));

        var composed = _kit.Compose(new Dictionary<string, string> { ["account:/etc/group#120"] = "one" }, one, _other);

        Assert.Empty(composed.Conflicts);
        Assert.Null(Value(composed, "/etc/group#redis/gid"));
        Assert.Equal("", Value(composed, "/etc/group#adm/user/redis"));
        Assert.Equal("100", Value(composed, "/etc/passwd#redis/uid"));
    }

    [Fact]
    public void Layer_ThatGivesWhatWasLeftOutAnotherNumber_HasItThere()
    {
        var later = Later("redis", "101");

        var composed = Compose("one", _one, _other, later);

        Assert.Empty(composed.Conflicts);
        Assert.Equal(("100", "101", "/bin/later"), (Value(composed, "/etc/passwd#mysql/uid"), Value(composed, "/etc/passwd#redis/uid"), Value(composed, "/etc/passwd#redis/shell")));
        Assert.Null(Value(composed, "/etc/shadow#redis/password"));
    }

    [Theory]
    [InlineData("one", null)]
    [InlineData("one+later", "100")]
    public void Layer_ThatGivesWhatWasLeftOutTheSameNumber_HasItThereIfItMayShareIt(string winners, string? uid)
    {
        var composed = Compose(winners, _one, _other, Later("redis", "100"));

        Assert.Empty(composed.Conflicts);
        Assert.Equal(uid, Value(composed, "/etc/passwd#redis/uid"));
        Assert.Equal(uid is null ? null : "/bin/later", Value(composed, "/etc/passwd#redis/shell"));
    }

    [Fact]
    public void Layer_ThatChangesAnAccountWhichIsLeftOut_HasNothingToChange()
    {
        var tuned = _kit.Layer("tuned", tree => tree.Setting("/etc/passwd#redis/shell", "/bin/false"), on: With(new FileTree(), "redis", "100"));

        var composed = Compose("one", _one, _other, tuned);

        Assert.Empty(composed.Conflicts);
        Assert.Null(Value(composed, "/etc/passwd#redis/shell"));
    }

    [Fact]
    public void Layer_ThatMovesAnAccountOutOfTheWay_LeavesNothingToBeSettled()
    {
        var one = _kit.Layer("one", tree => With(tree, "mysql", "5"));
        var moved = _kit.Layer("moved", tree => tree.Setting("/etc/passwd#games/uid", "6"));
        var resolutions = new Dictionary<string, string> { ["account:/etc/passwd#5"] = "one" };

        var composed = _kit.Compose(resolutions, one, moved);

        Assert.Equal("6", Value(composed, "/etc/passwd#games/uid"));
        Assert.Contains("There is no conflict about account:/etc/passwd#5", composed.ProblemOf(resolutions), StringComparison.Ordinal);
    }

    private static FileTree With(FileTree tree, string name, string uid)
    {
        tree["/etc/passwd"] = Some.File("with " + name);
        tree["/etc/shadow"] = Some.File("with " + name);
        return tree.Setting($"/etc/passwd#{name}/uid", uid).Setting($"/etc/passwd#{name}/shell", "/bin/" + name).Setting($"/etc/shadow#{name}/password", "x");
    }

    /// <summary>Made on top of what has no such account, and of files of which only settings are expected.</summary>
    private Layer Later(string name, string uid)
    {
        var shared = ContentBySettings.Of(Some.File());
        return _kit.Layer(
            "later",
            tree => tree.Setting($"/etc/passwd#{name}/uid", uid).Setting($"/etc/passwd#{name}/shell", "/bin/later")["/etc/passwd"] = shared with { Mode = 0b110_000_000 },
            on: new FileTree { ["/etc/passwd"] = shared });
    }

    private Composed Compose(string winner, params Layer[] layers) => _kit.Compose(new Dictionary<string, string> { [Hundred] = winner }, layers);

    private string? Value(Composed composed, string setting) => _kit.Find(composed.Roots, "setting:" + setting)?.Value?.ToString();
}
