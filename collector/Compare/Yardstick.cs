using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Compare;

/// <summary>A policy as comparisons use it.</summary>
internal sealed class Yardstick(Policy policy)
{
    private readonly Scope _scope = policy.ToScope();

    public Policy Policy => policy;

    /// <summary>Whether the policy looks at a key at all. What it does not look at is no deviation, whatever the trees hold.</summary>
    public bool Judges(EntryKind kind, EntryKey key) =>
        _scope.Covers(kind, key.Bytes) && policy.TreatmentOf(kind, key.Bytes) != Treatment.Ignore;
}
