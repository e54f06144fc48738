using Telemetry.Collector.Causes;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>What a comparison means for the deviations of an instance: which open, which change, which close. Pure.</summary>
internal static class DeviationTracker
{
    /// <param name="open">The instance's open deviations.</param>
    /// <param name="findings">What the comparison of the head with the baseline gave.</param>
    /// <param name="standing">The decision, if any, that holds for an entry in its present state.</param>
    /// <param name="isConcluded">Whether a key that is not among the findings is known to be no deviation; else it stays as it is.</param>
    /// <param name="now">The collector's clock.</param>
    public static IReadOnlyList<Transition> Track(
        IReadOnlyCollection<Deviation> open,
        IEnumerable<Finding> findings,
        Func<Finding, Decision?> standing,
        Func<EntryKind, EntryKey, bool> isConcluded,
        InstanceHead head,
        long baselineId,
        DateTimeOffset now)
    {
        var transitions = new List<Transition>();
        var remaining = open.ToDictionary(deviation => (deviation.Kind, deviation.Key));
        foreach (var finding in findings)
        {
            remaining.Remove((finding.Kind, finding.Key), out var known);
            if (!finding.IsDeviation)
            {
                if (known is not null)
                    transitions.AddRange(Expire([known], now));
                continue;
            }

            // What was decided about one state says nothing of another: that is another episode. So it is when the entry comes back
            // into a state that was decided about.
            var isOther = known is not null && !IsSame(known.Actual, finding.Change.After);
            var decision = known is null || isOther ? standing(finding) : null;
            if (isOther && (known!.State != DeviationState.Open || decision is not null))
            {
                transitions.Add(new Transition(TransitionKind.Closed, Close(known, now)));
                known = null;
            }

            var severity = SeverityRules.Of(finding);
            if (known is null)
                transitions.Add(new Transition(TransitionKind.Opened, Open(finding, severity, decision, head, baselineId, now)));
            else if (!IsSame(known, finding.Change, severity) || known.DecidedUntil <= now)
                transitions.Add(new Transition(TransitionKind.Changed, Change(known, finding.Change, severity, baselineId, now)));
            else if (known.BaselineId != baselineId)
                transitions.Add(new Transition(TransitionKind.Moved, known with { BaselineId = baselineId }));
        }

        var unconfirmed = remaining.Values.OrderBy(deviation => deviation.Id).ToLookup(deviation => isConcluded(deviation.Kind, deviation.Key));
        transitions.AddRange(CloseAll(unconfirmed[true], now));
        transitions.AddRange(Expire(unconfirmed[false], now));
        return transitions;
    }

    /// <summary>Those of which nothing else can be said: a waiver that has ended has ended there too, and they are open as before.</summary>
    public static IReadOnlyList<Transition> Expire(IEnumerable<Deviation> open, DateTimeOffset now) =>
    [
        .. open.Where(deviation => deviation.DecidedUntil <= now)
            .Select(deviation => new Transition(TransitionKind.Changed, Reopen(deviation) with { Transitions = deviation.Transitions + 1 })),
    ];

    /// <summary>Ends deviations that no baseline calls for any more.</summary>
    public static IReadOnlyList<Transition> CloseAll(IEnumerable<Deviation> open, DateTimeOffset now) =>
        [.. open.Select(deviation => new Transition(TransitionKind.Closed, Close(deviation, now)))];

    private static Deviation Open(
        Finding finding, Severity severity, Decision? decision, InstanceHead head, long baselineId, DateTimeOffset now) =>
        new(
            Id: 0,
            head.InstanceId,
            finding.Kind,
            finding.Key,
            severity,
            decision?.Gives ?? DeviationState.Open,
            baselineId,
            finding.Change.Before,
            finding.Change.After,
            OpenedAt: now,
            ClosedAt: null,
            head.ObservedAfter,
            head.ObservedAt,
            Transitions: 1)
        {
            DecisionId = decision?.Id,
            DecidedUntil = decision?.Until,
        };

    private static Deviation Change(Deviation known, EntryChange change, Severity severity, long baselineId, DateTimeOffset now)
    {
        if (known.DecidedUntil <= now)
            known = Reopen(known);

        // Whoever made the entry what it was did not make it what it is.
        var explained = IsSame(known.Actual, change.After) ? known : known with { ActorId = null, CauseId = null, Membership = Membership.None };
        return explained with
        {
            BaselineId = baselineId,
            Expected = change.Before,
            Actual = change.After,
            Severity = severity,
            Transitions = known.Transitions + 1,
        };
    }

    private static Deviation Reopen(Deviation deviation) => deviation with { State = DeviationState.Open, DecidedUntil = null };

    private static Deviation Close(Deviation deviation, DateTimeOffset now) => deviation with
    {
        State = deviation.State == DeviationState.Approved ? DeviationState.Approved : DeviationState.Resolved,
        ClosedAt = now,
        Transitions = deviation.Transitions + 1,
    };

    private static bool IsSame(Deviation known, EntryChange change, Severity severity) =>
        known.Severity == severity
        && IsSame(known.Expected, change.Before)
        && IsSame(known.Actual, change.After);

    private static bool IsSame(byte[]? left, byte[]? right) =>
        (left is null) == (right is null) && left.AsSpan().SequenceEqual(right);
}
