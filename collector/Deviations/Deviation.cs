using Telemetry.Collector.Causes;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>Where a deviation is in its life. The numbers are stored and sent.</summary>
internal enum DeviationState
{
    Open = 1,
    Acknowledged = 2,
    Waived = 3,
    Approved = 4,
    Resolved = 5,
}

/// <summary>What a transition did to a deviation. The numbers are stored and sent.</summary>
internal enum TransitionKind
{
    Opened = 1,
    Changed = 2,
    Closed = 3,

    /// <summary>Another version of the line judges it, and nothing else is different: noted, and nobody is told. Neither stored nor sent.</summary>
    Moved = 4,
}

/// <summary>One entry where an instance differs from its baseline, from when it was first seen until it matches again: one episode.</summary>
/// <param name="Id">Names the episode; 0 before it is stored.</param>
/// <param name="Expected">Encoded fingerprint of the baseline; null when the entry was added.</param>
/// <param name="Actual">Encoded fingerprint of the instance; null when the entry was removed.</param>
/// <param name="OpenedAt">The collector's clock.</param>
/// <param name="ObservedAfter">The agent's clock: the last time it was known not to be there.</param>
/// <param name="ObservedBefore">The agent's clock: the first time it was seen.</param>
/// <param name="Transitions">How many there were so far.</param>
internal sealed record Deviation(
    long Id,
    string InstanceId,
    EntryKind Kind,
    EntryKey Key,
    Severity Severity,
    DeviationState State,
    long BaselineId,
    byte[]? Expected,
    byte[]? Actual,
    DateTimeOffset OpenedAt,
    DateTimeOffset? ClosedAt,
    DateTimeOffset? ObservedAfter,
    DateTimeOffset ObservedBefore,
    int Transitions)
{
    /// <summary>Whose entry it is; null: opened before there were layers.</summary>
    public Attributed? Attributed { get; init; }

    /// <summary>The process that made the entry what it is; null: not known.</summary>
    public long? ActorId { get; init; }

    /// <summary>What explains it; null: not explained yet, or opened before there were causes.</summary>
    public long? CauseId { get; init; }

    /// <summary>In the package transaction that is its cause.</summary>
    public Membership Membership { get; init; }

    /// <summary>What somebody decided about it, which its state is from; null: nothing.</summary>
    public long? DecisionId { get; init; }

    /// <summary>Until when that holds; null: as long as the entry is what it is.</summary>
    public DateTimeOffset? DecidedUntil { get; init; }

    public bool IsOpen => ClosedAt is null;

    public EntryChange Change => new(Key, Expected, Actual);

    /// <summary>How people write the id.</summary>
    public static string IdText(long id) => $"d-{id}";

    public static long? ParseId(string text) =>
        text.StartsWith("d-", StringComparison.Ordinal)
        && long.TryParse(text.AsSpan(2), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var id)
            ? id : null;
}

/// <summary>One step in a deviation's life, with the deviation as it is right after.</summary>
internal sealed record Transition(TransitionKind Kind, Deviation Deviation);
