using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>
/// Which entries are fingerprinted, how closely they are compared, how severe a deviation is. Scope, secrets and parsed files act
/// in the agent and shape the tree; treatment and severity act where manifests are compared.
/// </summary>
public sealed record Policy
{
    private readonly PatternIndex _rules = new([]), _settings = new([]), _critical = new([]);

    public required string Name { get; init; }

    /// <summary>Files at or below are fingerprinted; the root key is all of them.</summary>
    public ImmutableArray<EntryKey> Include { get; init; } = [EntryKey.Root];

    /// <summary>Wins over <see cref="Include"/>.</summary>
    public ImmutableArray<EntryKey> Exclude { get; init; } = [];

    /// <summary>Filesystems mounted below an included path are not entered unless an included path names one.</summary>
    public bool OneFilesystem { get; init; } = true;

    /// <summary>The first that matches a file says how it is parsed.</summary>
    public ImmutableArray<SettingsFiles> Settings
    {
        get;
        init
        {
            field = value;
            _settings = new PatternIndex(value.Select(settings => settings.Match.AsEnumerable()));
        }
    } = [];

    /// <summary>Kernel parameters that are facts, such as <c>net.ipv4.ip_forward</c> or <c>net.ipv4.conf.*.rp_filter</c>.</summary>
    public ImmutableArray<SysctlPattern> Sysctls { get; init; } = [];

    /// <summary>Directories in which every write is watched, also those to files that stay open.</summary>
    public ImmutableArray<KeyPattern> Critical
    {
        get;
        init
        {
            field = value;
            _critical = new PatternIndex([value]);
        }
    } = [];

    /// <summary>The first that matches an entry decides.</summary>
    public ImmutableArray<PolicyRule> Rules
    {
        get;
        init
        {
            field = value;
            _rules = new PatternIndex(value.Select(rule => rule.Match.AsEnumerable()));
        }
    } = [];

    /// <summary>All that is to be looked at.</summary>
    public Scope ToScope() => new(Include, Exclude, Settings.SelectMany(settings => settings.Match), Sysctls);

    /// <summary>The rule that decides about an entry; null: compared fully.</summary>
    public PolicyRule? RuleOf(EntryKind kind, ReadOnlySpan<byte> key) => _rules.Find(kind, key) is var index and >= 0 ? Rules[index] : null;

    /// <summary>How a file is parsed; null: not at all.</summary>
    public SettingsFiles? SettingsOf(ReadOnlySpan<byte> file) =>
        _settings.Find(EntryKind.File, file) is var index and >= 0 ? Settings[index] : null;

    public bool IsCritical(ReadOnlySpan<byte> directory) => _critical.Find(EntryKind.File, directory) >= 0;

    public Treatment TreatmentOf(EntryKind kind, ReadOnlySpan<byte> key) => RuleOf(kind, key)?.Treatment ?? Treatment.Full;
}
