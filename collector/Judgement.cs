using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector;

/// <summary>What a state of an instance means under a policy. Nothing of it is written yet.</summary>
/// <param name="Baseline">The accepted version it was compared with: the one it differs from least.</param>
/// <param name="LeftOut">What the comparison could not conclude, for people.</param>
/// <param name="Unread">What the instance can't read, and since when.</param>
internal sealed record Judgement(Baseline Baseline, IReadOnlyList<Transition> Transitions, string LeftOut, IReadOnlyList<UnreadEntry> Unread)
{
    /// <summary>What was not compared, for people, when the instance's coverage does not reach all that the baseline's does; null: it does.</summary>
    public string? NotReached { get; private init; }

    /// <param name="transaction">Is read only.</param>
    /// <param name="accepted">The versions of its line that are accepted, newest first; one at least.</param>
    /// <param name="judgedId">The version it was judged against before; null: none.</param>
    /// <param name="known">What was unread before.</param>
    public static Judgement Of(
        StoreTransaction transaction,
        IReadOnlyList<Baseline> accepted,
        long? judgedId,
        InstanceHead head,
        Yardstick yardstick,
        IReadOnlyList<UnreadEntry> known,
        DateTimeOffset now)
    {
        // :: 2 Compare  with the accepted version it differs from least, as closely as the line's policy says
        var (baseline, overlap, findings) = Nearest(transaction, accepted, judgedId, head, yardstick);
        var unread = UnreadEntries.Of(findings, known, now);
        findings = Approvals.Leave(transaction, UnreadEntries.Mark(findings, unread, now), baseline, accepted);
        var stack = BaselineStack.Of(transaction, baseline);
        findings = LayerSeverities.Say(findings, stack.Layers, stack.Attribution(transaction));

        // :: 3 Track    which deviations opened, changed and closed
        var transitions = DeviationTracker.Track(
            transaction.Deviations.OpenOf(head.InstanceId), findings, Standing, IsConcluded, head, baseline.Id, now);
        return new Judgement(baseline, transitions, Compare.LeftOut.Of(overlap, findings), unread) { NotReached = overlap.ReachesExpected ? null : overlap.LeftOut };

        Decision? Standing(Finding finding) =>
            transaction.Decisions.Standing(head.InstanceId, finding.Kind, finding.Key, finding.Change.After, now);

        bool IsConcluded(EntryKind kind, EntryKey key) => !yardstick.Judges(kind, key) || overlap.Covers(kind, key.Bytes);
    }

    /// <summary>
    /// The version it was judged against before unless another has strictly fewer deviations; of several such the newest. So a rolling
    /// upgrade is no storm, and nothing flaps between versions that fit equally well. None may win by saying less: counted is only what
    /// all of them cover, and what can't be concluded counts as a deviation; of those that fit equally well but cover other things it is
    /// the newest.
    /// </summary>
    private static (Baseline, CoverageOverlap, IReadOnlyList<Finding>) Nearest(
        StoreTransaction transaction, IReadOnlyList<Baseline> accepted, long? judgedId, InstanceHead head, Yardstick yardstick)
    {
        (Baseline, CoverageOverlap, IReadOnlyList<Finding>)? nearest = null;
        var fewest = int.MaxValue;
        foreach (var baseline in accepted.OrderByDescending(version => version.Id == judgedId && version.Coverage.CoversTheSameAs(accepted[0].Coverage)))
        {
            var overlap = new CoverageOverlap(baseline.Coverage, head.Coverage);
            var findings = PolicyComparison.Between(transaction.Nodes, baseline.Roots, head.Roots, overlap, yardstick);
            var misfits = findings.Count(finding => accepted.All(version => version.Coverage.Covers(finding.Kind, finding.Key.Bytes)));
            if (misfits < fewest)
                (nearest, fewest) = ((baseline, overlap, findings), misfits);
            if (fewest == 0)
                break;
        }

        return nearest!.Value;
    }
}
