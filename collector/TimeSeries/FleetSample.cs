using Telemetry.Protocol.Model;

namespace Telemetry.Collector.TimeSeries;

/// <summary>All instances at one time. Times are milliseconds since 1970.</summary>
internal sealed record FleetSample(IReadOnlyList<SampledInstance> Instances, ILookup<string, OpenDeviations> Open, ILookup<string, FailingCheck> Failing);

/// <param name="IsCovered">The last comparison left nothing out.</param>
/// <param name="ConnectedSince">Null: it is not connected.</param>
internal sealed record SampledInstance(InstanceTags Tags, bool IsCovered, long? ConnectedSince);

/// <summary>What every series of an instance is told by.</summary>
/// <param name="Baseline">The version that judges it; empty: none does.</param>
internal sealed record InstanceTags(string Instance, string Host, string Image, string Baseline, string Group, string Customer);

/// <param name="Undecided">Nobody waived or approved them, and they are more than <see cref="Severity.Info"/>.</param>
/// <param name="Since">When the oldest opened.</param>
internal sealed record OpenDeviations(string Layer, string Owner, EntryKind Kind, Severity Severity, long Count, long Undecided, long Since);

/// <param name="Layer">That ships it.</param>
/// <param name="Owner">Of the layer; empty: it does not say.</param>
internal sealed record FailingCheck(string Layer, string Name, string Owner, long Since);
