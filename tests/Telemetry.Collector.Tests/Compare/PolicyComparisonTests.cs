using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Compare;

public sealed class PolicyComparisonTests
{
    private const string Parsed =
        """
        name = "test"
        [[settings]]
        files = ["/etc/app.conf"]
        format = "ini"

        """;

    private readonly FileTree _expected = new FileTree { ["/etc/app.conf"] = Some.File("a") }.Setting("/etc/app.conf#Color", "red");
    private readonly FileTree _actual = new FileTree { ["/etc/app.conf"] = Some.File("a") }.Setting("/etc/app.conf#Color", "red");

    [Fact]
    public void Rule_ThatMatchesFirst_DecidesTreatmentAndSeverity()
    {
        _actual["/etc/app.conf"] = Some.File("b");
        _actual["/etc/other"] = Some.File();

        var findings = Find(
            """
            name = "test"
            [[rules]]
            match = ["/etc/other"]
            severity = "low"
            [[rules]]
            match = ["/etc"]
            treat = "presence"
            severity = "critical"
            """);

        var finding = Assert.Single(findings);
        Assert.Equal((EntryKey.OfPath("/etc/other"), Severity.Low), (finding.Key, finding.Ruled));
    }

    [Fact]
    public void Key_ThatThePolicyExcludes_IsNotComparedThoughBothTreesHoldIt()
    {
        _actual["/etc/app.conf"] = Some.File("b");
        _actual.Setting("/etc/app.conf#Color", "blue");

        Assert.Empty(Find("exclude = [\"/etc\"]\n" + Parsed));
    }

    [Fact]
    public void Setting_OfAFileThatThePolicyDoesNotParse_IsNotCompared()
    {
        _actual["/etc/app.conf"] = Some.File("b");
        _actual.Setting("/etc/app.conf#Color", "blue");

        Assert.Equal(EntryKind.File, Assert.Single(Find("name = \"test\"")).Kind);
    }

    [Fact]
    public void Setting_OfAFileWithEqualContent_IsNoFinding()
    {
        _actual.Setting("/etc/app.conf#Color", "blue");

        Assert.Empty(Find(Parsed));
    }

    [Fact]
    public void Setting_OfAFileWithOtherContent_IsFoundBesideTheFile()
    {
        _actual["/etc/app.conf"] = Some.File("b");
        _actual.Setting("/etc/app.conf#Color", "blue");

        var findings = Find(Parsed);

        Assert.Equal([EntryKind.File, EntryKind.Setting], findings.Select(finding => finding.Kind));
        Assert.DoesNotContain(findings, finding => finding.IsFormOnly);
    }

    [Fact]
    public void File_WithEqualSettingsInOtherContent_DiffersInFormOnly()
    {
        _actual["/etc/app.conf"] = Some.File("# a comment");

        Assert.True(Assert.Single(Find(Parsed)).IsFormOnly);
    }

    [Fact]
    public void File_WhoseOnlyOtherSettingIsIgnored_DiffersInFormOnly()
    {
        _actual["/etc/app.conf"] = Some.File("b");
        _actual.Setting("/etc/app.conf#Color", "blue");

        var findings = Find(Parsed + "[[rules]]\nmatch = [\"setting:/etc/app.conf#Color\"]\ntreat = \"ignore\"");

        Assert.True(Assert.Single(findings).IsFormOnly);
    }

    [Fact]
    public void File_WithOtherContentAndMode_DiffersInMoreThanForm()
    {
        _actual["/etc/app.conf"] = Some.File("b", mode: 0b110_110_110);

        Assert.False(Assert.Single(Find(Parsed)).IsFormOnly);
    }

    [Fact]
    public void File_WhoseSettingsOneSideDidNotRead_DiffersInMoreThanForm()
    {
        _actual["/etc/app.conf"] = Some.File("b");
        var gap = new Gap(EntryKind.Setting, EntryKey.Of("etc/app.conf"), "line 3 can't be parsed");

        Assert.False(Assert.Single(Find(Parsed, Some.SettingCoverage with { Gaps = [gap] })).IsFormOnly);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("[[rules]]\nmatch = [\"/etc/app.conf\"]\ntreat = \"presence\"", false)]
    public void SharedFile_WhoseSettingsTheInstanceDidNotRead_IsUnreadWhereItsContentMatters(string rule, bool isFound)
    {
        _expected["/etc/app.conf"] = ContentBySettings.Of(Some.File("a"));
        var gap = new Gap(EntryKind.Setting, EntryKey.Of("etc/app.conf"), "line 3 can't be parsed");

        var findings = Find(Parsed + rule, Some.SettingCoverage with { Gaps = [gap] });

        Assert.Equal(isFound ? [(Verdict.Unread, true)] : [], findings.Select(finding => (finding.Verdict, finding.IsUnparsed)));
        Assert.Empty(Find(Parsed + rule));
    }

    [Fact]
    public void SharedFile_ThatTheParserRefuses_DiffersWithTheSeverityOfTheFile()
    {
        _expected["/etc/sudoers"] = ContentBySettings.Of(Some.File("a"));
        _actual["/etc/sudoers"] = Some.File("b");
        var gap = new Gap(EntryKind.Setting, EntryKey.Of("etc/sudoers"), "line 3 can't be parsed") { IsRefused = true };

        var finding = Assert.Single(Find("name = \"test\"\n[[settings]]\nfiles = [\"/etc/sudoers\"]\nformat = \"sudoers\"", Some.SettingCoverage with { Gaps = [gap] }));

        Assert.Equal((true, Severity.High), (finding.IsDeviation, SeverityRules.Of(finding)));
    }

    [Fact]
    public void SharedFile_WithSettingsInAnotherOrder_Differs()
    {
        _expected["/etc/app.conf"] = ContentBySettings.Of(Some.File("a"));
        _expected.Setting("/etc/app.conf##order", "a, b");
        _actual["/etc/app.conf"] = Some.File("b");
        _actual.Setting("/etc/app.conf##order", "b, a");

        Assert.Equal(SettingKey.OrderOf(EntryKey.OfPath("/etc/app.conf")), Assert.Single(Find(Parsed)).Key);
    }

    [Fact]
    public void Secret_UnderAnotherKey_IsNoDeviationAndCounted()
    {
        _expected["/etc/secret"] = Some.Secret(FleetKey.Random());
        _actual["/etc/secret"] = Some.Secret(FleetKey.Random());
        var findings = Find(Parsed);

        Assert.False(Assert.Single(findings).IsDeviation);
        Assert.Contains("1 secret whose", LeftOut.Of(new CoverageOverlap(Some.Coverage, Some.Coverage), findings), StringComparison.Ordinal);
    }

    private IReadOnlyList<Finding> Find(string policy, Coverage? actualCoverage = null)
    {
        var (expected, expectedNodes) = _expected.Build();
        var (actual, actualNodes) = _actual.Build();
        return PolicyComparison.Between(
            new Nodes(expectedNodes.Concat(actualNodes).DistinctBy(node => node.Key).ToDictionary()),
            expected,
            actual,
            new CoverageOverlap(Some.SettingCoverage, actualCoverage ?? Some.SettingCoverage),
            new Yardstick(PolicyFile.Parse(policy, "test.toml")));
    }

    private sealed class Nodes(IReadOnlyDictionary<Digest, byte[]> nodes) : INodeSource
    {
        public ReadOnlyMemory<byte> Read(Digest digest) => nodes[digest];
    }
}
