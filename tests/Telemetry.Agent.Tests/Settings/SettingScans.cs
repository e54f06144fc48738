using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Settings;

/// <summary>Runs the scanner of settings over a tree of a test's own, with the real helper and the real libaugeas.</summary>
internal sealed class SettingScans : IDisposable
{
    /// <summary>The agent as it was built beside the tests: the tests' own program is no agent.</summary>
    public static string Agent { get; } = Path.Combine(AppContext.BaseDirectory, "telemetry-agent");

    public static string Files { get; } = Path.Combine(Programs.Repository, "tests", "Telemetry.Agent.Tests", "Settings", "Files");

    private readonly TemporaryDirectory _state = new();

    public TemporaryDirectory Tree { get; } = new();

    public ParseOutcomes Outcomes { get; set; } = new();

    public SettingsParser Parser { get; set; } = new(Agent);

    public PolicyLimits Limits { get; set; } = PolicyLimits.None;

    public TimeSpan Budget { get; set; } = TimeSpan.FromMinutes(1);

    public IReadOnlyList<EntryKey> Dirty { get; set; } = [];

    public FleetKey Key { get; set; } = Scans.Key;

    /// <summary>All real files, looked at once.</summary>
    private static readonly Lazy<ScannedTree> RealFiles = new(LookAtRealFiles);

    /// <summary>Of the real file of a format.</summary>
    public static IReadOnlyList<TreeEntry> EntriesOf(string format)
    {
        Assert.Empty(RealFiles.Value.Sighting.Coverage.Gaps.Select(gap => gap.Reason));
        return [.. RealFiles.Value.Entries(EntryKind.Setting).Where(entry => entry.Key.IsUnder(EntryKey.Of("etc/" + format)))];
    }

    /// <summary>Of the real file of a format, by what follows the file's path.</summary>
    public static IReadOnlyDictionary<string, string> SettingsOf(string format) => Readable(EntriesOf(format));

    public static Policy Policy(params (string Pattern, string Format)[] files) => new()
    {
        Name = "test",
        Settings = [.. files.Select(file => new SettingsFiles([KeyPattern.Parse(file.Pattern)], file.Format))],
    };

    public void Dispose()
    {
        // The helper that it keeps for a while is of a user who may have so many processes in all.
        Parser.Dispose();
        Tree.Dispose();
        _state.Dispose();
    }

    /// <summary>A look at nothing but settings, with nothing known before.</summary>
    public ScannedTree Look(Policy policy, Scope? scope = null)
    {
        var target = new MemoryTarget();
        var sighting = Of(policy, scope).Run(target, new ScanProgress(), TestContext.Current.CancellationToken);
        return new ScannedTree(target.Nodes, sighting);
    }

    public ManifestScan Of(Policy policy, Scope? scope = null)
    {
        var clock = Scans.LaterClock();
        scope ??= WatchScope.Within(policy, Scope.Everything);
        return new ManifestScan([new SettingScanner(Tree.Path, policy, scope, Key, Outcomes, Parser, clock) { Limits = Limits, Budget = Budget, Dirty = Dirty }], scope, clock);
    }

    /// <summary>By what follows the file's path, as people see it.</summary>
    public static IReadOnlyDictionary<string, string> Settings(ScannedTree scanned)
    {
        Assert.Empty(scanned.Sighting.Coverage.Gaps.Select(gap => gap.Reason));
        return Readable(scanned.Entries(EntryKind.Setting));
    }

    private static ScannedTree LookAtRealFiles()
    {
        using var scans = new SettingScans();
        foreach (var format in SettingsFormats.Names)
            scans.Tree.Write("etc/" + format, File.ReadAllText(Path.Combine(Files, format)));
        return scans.Look(Policy([.. SettingsFormats.Names.Select(format => ("/etc/" + format, format))]));
    }

    private static IReadOnlyDictionary<string, string> Readable(IEnumerable<TreeEntry> entries) => entries.ToDictionary(
        entry => KeyText.Format(EntryKind.Setting, entry.Key.Bytes).Split('#', 2)[1], entry => ValueOf(entry.Fingerprint));

    private static string ValueOf(Fingerprint fingerprint) =>
        fingerprint.KeyedValue is not null ? "(keyed)" : fingerprint.ValueDigest is not null ? "(digest)" : fingerprint.Value.ToString()!;
}
