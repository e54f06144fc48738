using Telemetry.Collector.Compare;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>What a comparison means for the deviations of an instance: which open, which change, which close. Pure.</summary>
internal static class DeviationTracker
{
    /// <param name="open">The instance's open deviations.</param>
    /// <param name="differences">What the comparison of the head with the baseline gave.</param>
    /// <param name="overlap">Where the comparison could conclude anything; elsewhere deviations stay as they are.</param>
    /// <param name="now">The collector's clock.</param>
    public static IReadOnlyList<Transition> Track(
        IReadOnlyCollection<Deviation> open,
        IEnumerable<Difference> differences,
        CoverageOverlap overlap,
        InstanceHead head,
        long baselineId,
        DateTimeOffset now)
    {
        var transitions = new List<Transition>();
        var remaining = open.ToDictionary(deviation => (deviation.Kind, deviation.Key));
        foreach (var (kind, change) in differences)
        {
            remaining.Remove((kind, change.Key), out var known);
            if (!Comparison.IsSettled(change))
                continue;

            if (known is null)
                transitions.Add(new Transition(TransitionKind.Opened, Open(kind, change, head, baselineId, now)));
            else if (!IsSame(known, change, baselineId))
                transitions.Add(new Transition(TransitionKind.Changed, Change(known, change, baselineId)));
        }

        transitions.AddRange(remaining.Values
            .Where(deviation => overlap.Covers(deviation.Kind, deviation.Key.Bytes))
            .OrderBy(deviation => deviation.Id)
            .Select(deviation => new Transition(TransitionKind.Closed, Close(deviation, now))));
        return transitions;
    }

    /// <summary>Ends deviations that no baseline calls for any more.</summary>
    public static IReadOnlyList<Transition> CloseAll(IEnumerable<Deviation> open, DateTimeOffset now) =>
        [.. open.Select(deviation => new Transition(TransitionKind.Closed, Close(deviation, now)))];

    private static Deviation Open(EntryKind kind, EntryChange change, InstanceHead head, long baselineId, DateTimeOffset now) =>
        new(
            Id: 0,
            head.InstanceId,
            kind,
            change.Key,
            SeverityRules.Of(kind, change),
            DeviationState.Open,
            baselineId,
            change.Before,
            change.After,
            OpenedAt: now,
            ClosedAt: null,
            head.ObservedAfter,
            head.ObservedAt,
            Transitions: 1);

    private static Deviation Change(Deviation known, EntryChange change, long baselineId) => known with
    {
        BaselineId = baselineId,
        Expected = change.Before,
        Actual = change.After,
        Severity = SeverityRules.Of(known.Kind, change),
        Transitions = known.Transitions + 1,
    };

    private static Deviation Close(Deviation deviation, DateTimeOffset now) => deviation with
    {
        State = DeviationState.Resolved,
        ClosedAt = now,
        Transitions = deviation.Transitions + 1,
    };

    private static bool IsSame(Deviation known, EntryChange change, long baselineId) =>
        known.BaselineId == baselineId
        && IsSame(known.Expected, change.Before)
        && IsSame(known.Actual, change.After);

    private static bool IsSame(byte[]? left, byte[]? right) =>
        (left is null) == (right is null) && left.AsSpan().SequenceEqual(right);
}
