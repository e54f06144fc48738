using System.Text.RegularExpressions;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Deviations;

/// <summary>Approving an account that has the number of another one: refused with what makes it work, and made so.</summary>
public sealed partial class AccountApprovalTests : IDisposable
{
    private const string Zero = "account:/etc/passwd#0";

    private static readonly VersionName Hotfix = new("hotfix", "1");

    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;

    /// <summary>An instance of shop, to which somebody added a second root.</summary>
    public AccountApprovalTests()
    {
        _instance = new CertifiedInstance(_collector);
        _instance.Tree["/etc/passwd"] = Some.File("root");
        _instance.Tree.Setting("/etc/passwd#root/uid", "0").Setting("/etc/passwd#root/shell", "/bin/bash");
        _instance.Report(Some.SettingCoverage);
        _collector.Baselines.Capture(new VersionName("shop", "2"), _instance.Id);
        _collector.Baselines.Retire(new VersionName("shop", "1"));
        _instance.Tree["/etc/passwd"] = Some.File("root and toor");
        _instance.Tree.Setting("/etc/passwd#toor/uid", "0").Setting("/etc/passwd#toor/shell", "/bin/sh");
        _instance.Report(Some.SettingCoverage);
        Assert.Equal(3, _collector.Deviations(openOnly: true).Count);
    }

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Approve_IsRefusedWithAResolution_ThatWorks()
    {
        var refused = Assert.Throws<DecisionException>(() => Approve());
        var advised = Resolution().Match(refused.Message);

        var approved = Approve((advised.Groups[1].Value, advised.Groups[2].Value));

        Assert.Contains("uid 0 is root of shop:2, uid 0 is toor of hotfix:1", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_collector.Deviations(openOnly: true));
        Assert.Equal("shop+hotfix", approved.Baseline.Resolutions[Zero]);
        Assert.Equal("uid 0 is root of shop:2 and toor of hotfix:1, who share it", approved.Settled[Zero]);
        Assert.Equal(Some.File("root and toor"), _collector.Store.Read(transaction => TreeReader.Find(transaction.Nodes, approved.Baseline.Roots.File, EntryKey.OfPath("/etc/passwd"))));
    }

    [Fact]
    public void Approve_OnTopOfWhatWasSettled_GoesOnWithThat()
    {
        Approve((Zero, "shop+hotfix"));
        _instance.Tamper();

        _collector.Decisions.Approve(new DecisionScope([], InstanceId: _instance.Id), new VersionName("hotfix", "2"), null, "anna", "more");

        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Approve_ThatLeavesOutWhatIsApproved_IsRefusedWithAResolutionThatWorks()
    {
        var refused = Assert.Throws<DecisionException>(() => Approve((Zero, "shop")));
        var advised = Resolution().Match(refused.Message);

        Approve((advised.Groups[1].Value, advised.Groups[2].Value));

        Assert.Contains("would still not be expected", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Theory]
    [InlineData("account:/etc/passwd#1", "shop", Zero)]
    [InlineData(Zero, "somebody", "=shop or =hotfix")]
    public void Approve_WithAResolutionThatSettlesNothing_IsRefusedAndSaysWhatCanBe(string key, string winner, string said)
    {
        var refused = Assert.Throws<DecisionException>(() => Approve((key, winner)));

        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.Equal(3, _collector.Deviations(openOnly: true).Count);
    }

    [Fact]
    public void Approve_IntoANameThatIsTheLines_IsRefused()
    {
        var refused = Assert.Throws<DecisionException>(() =>
            _collector.Decisions.Approve(new DecisionScope([], InstanceId: _instance.Id), new VersionName("shop", "7"), null, "anna", "mixed up"));

        Assert.Contains("--into names a layer; choose another name, such as shop-fixes:1", refused.Message, StringComparison.Ordinal);
        Assert.Empty(_collector.Store.Read(transaction => transaction.Layers.All()));
    }

    [Fact]
    public void Layer_NamedLikeTheBase_CanBePutOnAnother()
    {
        _collector.Layers.Create(new VersionName("shop", "7"), "acme", "shop:2", _instance.Id, "", "default");
        _collector.Baselines.Capture(new VersionName("other", "1"), _instance.Id);

        var refused = Assert.Throws<LayerException>(() => Merge("shop:2"));

        Assert.Contains("make the layer under another name", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Merge("other:1").Conflicts);
    }

    private Composed Merge(string name) =>
        _collector.Layers.Merge(VersionName.TryParse(name)!, [new VersionName("shop", "7")], new Dictionary<string, string>()).Composed;

    private Approved Approve(params (string Key, string Winner)[] resolutions) => _collector.Decisions.Approve(
        new DecisionScope([], InstanceId: _instance.Id), Hotfix, null, "anna", "the rescue account", resolutions.ToDictionary(one => one.Key, one => one.Winner));

    [GeneratedRegex(@"--resolve (account:\S+?)=([a-z+]+)")]
    private static partial Regex Resolution();
}
