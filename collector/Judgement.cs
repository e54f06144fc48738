using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector;

/// <summary>What a state of an instance means under a policy. Nothing of it is written yet.</summary>
/// <param name="LeftOut">What the comparison could not conclude, for people.</param>
/// <param name="Unread">What the instance can't read, and since when.</param>
internal sealed record Judgement(IReadOnlyList<Transition> Transitions, string LeftOut, IReadOnlyList<UnreadEntry> Unread)
{
    /// <param name="transaction">Is read only.</param>
    /// <param name="known">What was unread before.</param>
    public static Judgement Of(
        StoreTransaction transaction, Baseline baseline, InstanceHead head, Yardstick yardstick, IReadOnlyList<UnreadEntry> known, DateTimeOffset now)
    {
        // :: 2 Compare  with the baseline bound to it, as closely as its policy says
        var overlap = new CoverageOverlap(baseline.Coverage, head.Coverage);
        var findings = PolicyComparison.Between(transaction.Nodes, baseline.Roots, head.Roots, overlap, yardstick);
        var unread = UnreadEntries.Of(findings, known, now);
        findings = UnreadEntries.Mark(findings, unread, now);

        // :: 3 Track    which deviations opened, changed and closed
        var transitions = DeviationTracker.Track(
            transaction.Deviations.OpenOf(head.InstanceId), findings, IsConcluded, head, baseline.Id, now);
        return new Judgement(transitions, Compare.LeftOut.Of(overlap, findings), unread);

        bool IsConcluded(EntryKind kind, EntryKey key) => !yardstick.Judges(kind, key) || overlap.Covers(kind, key.Bytes);
    }
}
