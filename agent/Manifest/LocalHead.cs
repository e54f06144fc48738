using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>What this instance is, as the agent last saw it change.</summary>
/// <param name="Generation">Counts heads of this state directory, over all epochs.</param>
/// <param name="ObservedAt">When this state was first seen.</param>
/// <param name="ObservedAfter">Begin of the last look that saw the state before; null for a first head.</param>
internal sealed record LocalHead(
    HeadPosition Position, long Generation, Roots Roots, Coverage Coverage, DateTimeOffset ObservedAt, DateTimeOffset? ObservedAfter);

/// <summary>A head that the collector was told of, or has.</summary>
internal readonly record struct ToldHead(HeadPosition Position, long Generation);

/// <summary>A head to tell.</summary>
/// <param name="ObservedAfter">When the state the collector has was last seen; null when it has none of ours.</param>
/// <param name="KnownGeneration">Nodes that are younger are lacking at the collector; null when it is not known which are.</param>
internal sealed record Announcement(LocalHead Head, DateTimeOffset? ObservedAfter, long? KnownGeneration);
