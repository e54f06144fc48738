using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>One machine running the agent, as it last introduced itself.</summary>
internal sealed record Instance(
    string Id,
    string Name,
    string AgentVersion,
    string Group,
    string Customer,
    ImmutableSortedDictionary<string, string> Tags,
    string Image,
    DateTimeOffset LastSeen)
{
    /// <summary>Clocks that are further off are told of.</summary>
    public static readonly TimeSpan LargestSkew = TimeSpan.FromSeconds(5);

    /// <summary>The root of a machine that is looked at as a whole.</summary>
    public const string WholeMachine = "/";

    /// <summary>The directory on the machine that keys are relative to: an image may be mounted there.</summary>
    public string Root { get; init; } = WholeMachine;

    /// <summary>What the last comparison left out, for people.</summary>
    public string Comparison { get; init; } = "";

    /// <summary>The baseline version the open deviations were judged against.</summary>
    public long? JudgedId { get; init; }

    /// <summary>When another machine last claimed to be this instance while it was connected.</summary>
    public DateTimeOffset? ContestedAt { get; init; }

    /// <summary>How far its clock is behind the collector's; less than zero: ahead. Null: never measured.</summary>
    public TimeSpan? ClockOffset { get; init; }

    /// <summary>How often it had an acknowledgement of what the store does not have: that was put back to an older copy.</summary>
    public long Returns { get; init; }

    /// <summary>When it did last.</summary>
    public DateTimeOffset? ReturnedAt { get; init; }

    /// <summary>Whether whatever binds one of them binds the other, but for bindings by id.</summary>
    public bool IsBoundLike(Instance other) => Image == other.Image && Tags.SequenceEqual(other.Tags);
}

/// <summary>A complete head: what an instance is, or was.</summary>
/// <param name="ObservedAt">By the agent's clock, corrected by how far that is off.</param>
/// <param name="ObservedAfter">The same: when the state before this one was last seen.</param>
/// <param name="ReceivedAt">The collector's clock.</param>
internal sealed record InstanceHead(
    string InstanceId,
    HeadPosition Position,
    Roots Roots,
    Coverage Coverage,
    DateTimeOffset ObservedAt,
    DateTimeOffset? ObservedAfter,
    DateTimeOffset ReceivedAt);

/// <summary>What one kind of a head was, and no more of it: a history is long.</summary>
/// <param name="HeadId">Grows in the order in which heads became known; of one instance, in their order.</param>
/// <param name="ObservedAt">The agent's clock.</param>
/// <param name="ObservedAfter">The agent's clock: when the state before this one was last seen.</param>
internal sealed record PastTree(long HeadId, string InstanceId, Digest Root, DateTimeOffset ObservedAt, DateTimeOffset? ObservedAfter);
