using Telemetry.Agent.Manifest;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Settings;
using Telemetry.Agent.SystemFacts;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Scan;

/// <summary>What is looked at, whatever the policy: the root, and what this machine's own configuration has to say.</summary>
internal sealed record ScanPlan(string Root)
{
    // Scanners live for one look; this is what the next one need not ask again.
    private readonly RpmMemory _rpm = new();

    /// <summary>Files that may be looked at.</summary>
    public required Scope Local { get; init; }

    public bool Packages { get; init; } = true;

    /// <summary>Of package managers, for the thread that scans; null: nobody changes what is looked at.</summary>
    public PackageLocks? Locks { get; init; }

    /// <summary>Whether a package manager is at work: what its database says is half of two states.</summary>
    public bool PackagesAreChanging => Locks?.Held().Count > 0;

    /// <summary>Null: none.</summary>
    public FactSources? Facts { get; init; }

    public bool Settings { get; init; } = true;

    public PolicyLimits Limits { get; init; } = PolicyLimits.None;

    /// <summary>Keeps a process ready from one look to the next; null: each look has its own.</summary>
    public SettingsParser? Parser { get; init; }

    /// <summary>What became of files that were parsed, from one look to the next.</summary>
    public ParseOutcomes Outcomes { get; } = new();

    /// <summary>What the scans go through, from one look to the next.</summary>
    public EnteredFilesystems Filesystems { get; } = new();

    /// <summary>How changes of what the scans go through come to be known.</summary>
    public WatchedParts Watched { get; } = new(Root);

    /// <summary>Files with more names than one, as the last looks saw them.</summary>
    public LinkedNames Names { get; } = new();

    public bool Wait { get; init; }

    public string SpillDirectory { get; init; } = Path.GetTempPath();

    /// <summary>The scanners of a look that goes by a policy.</summary>
    /// <param name="changed">Files to read whatever their stamps prove; and since when it may have missed some.</param>
    public ManifestScan Under(Policy policy, FleetKey key, TimeProvider clock, DirtyPart? changed = null)
    {
        IReadOnlyList<EntryKey> dirty = [.. (changed ?? DirtyPart.Nothing).Parts.Select(part => part.Key)];
        var scope = WatchScope.Within(policy, Local);
        var files = FilesUnder(policy, key, scope) with { LeftOut = LeftOut(policy.ToScope()) };
        var scanners = new List<IScanner> { new FileScanner(Root, files, clock) };
        scanners.AddRange(PackageScanners(clock, _rpm));
        scanners.AddRange(Facts?.Scanners(policy.Sysctls, Limits.Sysctls) ?? []);
        if (Settings && !policy.Settings.IsEmpty)
            scanners.Add(new SettingScanner(Root, policy, scope, key, Outcomes, Parser ?? new SettingsParser(), clock) { Limits = Limits, Dirty = dirty });
        return new ManifestScan(scanners, scope, clock) { Dirty = dirty, Loss = changed?.Loss, Watched = Watched };
    }

    /// <summary>The scanners of a look at some parts, which go by a policy.</summary>
    /// <param name="parts">Apart from each other, in key order.</param>
    /// <param name="facts">Whether the system's facts are looked at, too.</param>
    /// <param name="packages">Whether packages are, where one of the parts belongs to their database.</param>
    public PartScan PartsUnder(Policy policy, FleetKey key, TimeProvider clock, IReadOnlyList<LookPart> parts, bool facts, bool packages = true)
    {
        var scope = WatchScope.Within(policy, Local);
        var scanners = new List<IScanner>();
        if (parts.Count > 0)
            scanners.Add(new FileScanner(Root, FilesUnder(policy, key, scope) with { Parts = parts }, clock));
        if (packages && parts.Any(part => PackageDatabases.Hold(part.Key)))
            scanners.AddRange(PackageScanners(clock, _rpm));
        if (facts)
            scanners.AddRange(Facts?.Scanners(policy.Sysctls, Limits.Sysctls) ?? []);

        var parsed = parts.Where(part => part.IsDeep || policy.SettingsOf(part.Key.Bytes) is not null).Select(part => part.Key).Where(part => scope.Covers(part.Bytes)).ToList();
        if (Settings && parsed.Count > 0 && !policy.Settings.IsEmpty)
            scanners.Add(new SettingScanner(Root, policy, new Scope(parsed, scope.Exclude), key, Outcomes, Parser ?? new SettingsParser(), clock) { Limits = Limits, Dirty = parsed, IsPart = true });
        return new PartScan(scanners, scope, parts, parsed, clock);
    }

    private FileRules FilesUnder(Policy policy, FleetKey key, Scope scope) => new(scope, new FileSecrets(policy, key) { Limits = Limits })
    {
        OneFilesystem = policy.OneFilesystem || Limits.OneFilesystem,
        Filesystems = Filesystems,
        Names = Names,
        Wait = Wait,
        SpillDirectory = SpillDirectory,
    };

    /// <summary>Of the packages alone.</summary>
    /// <param name="rpm">Of whoever looks: it is for one thread.</param>
    public IReadOnlyList<IScanner> PackageScanners(TimeProvider clock, RpmMemory rpm) =>
        Packages ? [new DpkgScanner(Root, clock), new RpmScanner(Root, clock, rpm, SpillDirectory)] : [];

    /// <summary>Paths that this machine's own configuration names and of which the policy has nothing looked at.</summary>
    private IReadOnlyList<EntryKey> LeftOut(Scope policy)
    {
        bool LookedAt(EntryKey key) => policy.Covers(key.Bytes);
        return [.. Local.Include.Where(key => Local.Covers(key.Bytes) && !LookedAt(key) && !policy.Include.Any(part => part.IsUnder(key) && LookedAt(part)))];
    }
}
