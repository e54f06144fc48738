using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Layers;

/// <summary>A file of which two layers own different settings, on an instance.</summary>
public sealed class SharedFileTests : IDisposable
{
    private const string Hosts = "/etc/hosts";

    private readonly Collector _collector = new();
    private readonly FileTree _tree = new FileTree { [Hosts] = Some.File("start") }.Setting("/etc/hosts#127.0.0.1", "localhost");
    private readonly FakeAgent _agent;
    private ulong _sequence;

    /// <summary>shop:1 shares the file between one:1 and other:1, and judges an instance that has the settings of both.</summary>
    public SharedFileTests()
    {
        new FakeAgent(_collector.NewStream(), "lab").Hello().Report(_tree, coverage: Some.SettingCoverage);
        _collector.Baselines.Capture(new VersionName("base", "1"), "lab");
        foreach (var (name, address) in new[] { ("one", "10.0.0.1"), ("other", "10.0.0.2") })
        {
            var changed = _tree.Copy();
            changed[Hosts] = Some.File("with " + name);
            changed.Setting("/etc/hosts#" + address, name);
            new FakeAgent(_collector.NewStream(), name).Hello().Report(changed, coverage: Some.SettingCoverage);
            _collector.Layers.Create(new VersionName(name, "1"), name + "-vendor", "base:1", name, "", "default");
            _tree.Setting("/etc/hosts#" + address, name);
        }

        _collector.Baselines.Compose(
            new VersionName("shop", "1"), new VersionName("base", "1"), [new VersionName("one", "1"), new VersionName("other", "1")], ImmutableDictionary<string, string>.Empty);
        _agent = new FakeAgent(_collector.NewStream()).Hello();
        Report(Some.File("both"));
        _collector.Baselines.Bind(Some.Binding(Selector.Instance, "i-1"));
    }

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void File_WithTheSettingsOfAll_IsNoDeviation() => Assert.Empty(_collector.Deviations());

    [Fact]
    public void ModeOfTheFile_CanBeApproved_IntoALayerAndItsNextVersion()
    {
        Report(Some.File("both", mode: 0b110_000_000));
        Approve("strict:1");
        Report(Some.File("both") with { Uid = 7 });

        Approve("strict:2");

        Assert.Empty(_collector.Deviations(openOnly: true));
        Report(Some.File("other content, same settings") with { Uid = 7 });
        Assert.Empty(_collector.Deviations(openOnly: true));
        Report(Some.File("both") with { Uid = 8 });
        Assert.Single(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void File_WhoseSettingsCantBeRead_IsADeviationAfterAnHour()
    {
        var gap = new Gap(EntryKind.Setting, EntryKey.Of("etc/hosts"), "line 3 can't be parsed");
        Report(Some.File("10.0.0.66 bank"), Some.SettingCoverage with { Gaps = [gap] });
        var early = _collector.Deviations();
        var told = _collector.Store.Read(transaction => transaction.Instances.Find("i-1"))!.Comparison;

        _collector.Time.Advance(TimeSpan.FromMinutes(61));
        _collector.Pipeline.Reevaluate(["i-1"]);

        Assert.Empty(early);
        Assert.Contains("1 file that layers share", told, StringComparison.Ordinal);
        var deviation = Assert.Single(_collector.Deviations(openOnly: true));
        Assert.Equal((EntryKind.File, EntryKey.OfPath(Hosts), Severity.Medium), (deviation.Kind, deviation.Key, deviation.Severity));
        Assert.Throws<DecisionException>(() => Approve("blind:1"));
        Report(Some.File("both"));
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void File_WhoseSettingsCouldAgainBeReadWithinTheHour_IsNone()
    {
        var gap = new Gap(EntryKind.Setting, EntryKey.Of("etc/hosts"), "line 3 can't be parsed");
        Report(Some.File("half written"), Some.SettingCoverage with { Gaps = [gap] });
        Report(Some.File("both"));

        _collector.Time.Advance(TimeSpan.FromMinutes(61));
        _collector.Pipeline.Reevaluate(["i-1"]);

        Assert.Empty(_collector.Deviations());
    }

    [Fact]
    public void File_ThatIsNotWhatItsFormatAllows_IsADeviationAtOnce()
    {
        var gap = new Gap(EntryKind.Setting, EntryKey.Of("etc/hosts"), "line 3 can't be parsed") { IsRefused = true };
        Report(Some.File("10.0.0.66 bank"), Some.SettingCoverage with { Gaps = [gap] });

        var deviation = Assert.Single(_collector.Deviations(openOnly: true));
        Assert.Equal((EntryKind.File, EntryKey.OfPath(Hosts), Severity.Medium), (deviation.Kind, deviation.Key, deviation.Severity));
        Assert.Throws<DecisionException>(() => Approve("blind:1"));
        Report(Some.File("both"));
        Assert.Empty(_collector.Deviations(openOnly: true));
    }

    [Fact]
    public void Order_OfSettingsThatNoLayerSays_IsADeviation()
    {
        _tree.Setting("/etc/hosts##order", "10.0.0.2 other, 10.0.0.1 one");
        Report(Some.File("both, in another order"));

        var deviation = Assert.Single(_collector.Deviations(openOnly: true));
        Assert.Equal((EntryKind.Setting, SettingKey.OrderOf(EntryKey.OfPath(Hosts))), (deviation.Kind, deviation.Key));
    }

    private void Report(Fingerprint hosts, Coverage? coverage = null)
    {
        _tree[Hosts] = hosts;
        _agent.Report(_tree, ++_sequence, coverage: coverage ?? Some.SettingCoverage);
    }

    private void Approve(string into)
    {
        var open = Assert.Single(_collector.Deviations(openOnly: true));
        _collector.Decisions.Approve(new DecisionScope([open.Id]), VersionName.TryParse(into)!, "ops", "anna", "as intended");
    }
}
