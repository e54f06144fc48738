using Telemetry.Agent.Manifest;
using Telemetry.Agent.Packages;
using Telemetry.Agent.Settings;
using Telemetry.Agent.SystemFacts;
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

    /// <summary>Null: none.</summary>
    public FactSources? Facts { get; init; }

    public bool Settings { get; init; } = true;

    /// <summary>Files that may be parsed; null: all that a policy lists.</summary>
    public IReadOnlyList<KeyPattern>? Parsable { get; init; }

    /// <summary>What became of files that were parsed, from one look to the next.</summary>
    public ParseOutcomes Outcomes { get; } = new();

    public bool Wait { get; init; }

    public string SpillDirectory { get; init; } = Path.GetTempPath();

    /// <summary>The scanners of a look that goes by a policy.</summary>
    /// <param name="dirty">Files to read whatever their stamps prove, in key order.</param>
    public ManifestScan Under(Policy policy, FleetKey key, TimeProvider clock, IReadOnlyList<EntryKey>? dirty = null)
    {
        var scope = WatchScope.Within(policy, Local);
        var secrets = new FileSecrets(policy, key);
        var files = new FileRules(scope, secrets)
        {
            OneFilesystem = policy.OneFilesystem,
            LeftOut = LeftOut(policy.ToScope()),
            Wait = Wait,
            SpillDirectory = SpillDirectory,
        };
        var scanners = new List<IScanner> { new FileScanner(Root, files, clock) };
        if (Packages)
            scanners.AddRange([new DpkgScanner(Root, clock), new RpmScanner(Root, clock, _rpm, SpillDirectory)]);
        scanners.AddRange(Facts?.Scanners(policy.Sysctls) ?? []);
        if (Settings && !policy.Settings.IsEmpty)
            scanners.Add(new SettingScanner(Root, policy, scope, key, Outcomes, new SettingsParser(), clock) { Allowed = Parsable, Dirty = dirty ?? [] });
        return new ManifestScan(scanners, scope, clock) { Dirty = dirty ?? [] };
    }

    /// <summary>Paths that this machine's own configuration names and of which the policy has nothing looked at.</summary>
    private IReadOnlyList<EntryKey> LeftOut(Scope policy)
    {
        bool LookedAt(EntryKey key) => policy.Covers(key.Bytes);
        return [.. Local.Include.Where(key => Local.Covers(key.Bytes) && !LookedAt(key) && !policy.Include.Any(part => part.IsUnder(key) && LookedAt(part)))];
    }
}
