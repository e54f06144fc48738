using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Deviations;

/// <summary>What was approved for a line, where an older version of it judges.</summary>
/// <remarks>
/// An approval is in force in the version it made and in those after it. An instance that an older version fits better, for it lacks
/// all else that is new, has what was approved all the same. Only what somebody approved: half of an older version and half of a newer
/// one is what nobody certified.
/// </remarks>
internal static class Approvals
{
    /// <summary>Leaves out the entries that are as they were approved, and as a newer accepted version expects them.</summary>
    /// <param name="findings">Of the comparison with the version that judges.</param>
    /// <param name="accepted">The versions of the line that are accepted, newest first.</param>
    public static IReadOnlyList<Finding> Leave(
        StoreTransaction transaction, IReadOnlyList<Finding> findings, Baseline judging, IReadOnlyList<Baseline> accepted)
    {
        var newer = accepted.TakeWhile(version => version.Id != judging.Id).ToList();
        if (newer.Count == 0 || findings.Count == 0)
            return findings;

        var approved = transaction.Decisions.ApprovedOf(judging.Name.Line);
        return approved.Count == 0 ? findings : [.. findings.Where(finding => !IsApproved(finding))];

        bool IsApproved(Finding finding) =>
            finding.Verdict == Verdict.Different
            && approved[(finding.Kind, finding.Key)].Any(actual => actual.AsSpan().SequenceEqual(finding.Change.After))
            && newer.Exists(version => TreeReader.FindValue(transaction.Nodes, version.Roots[finding.Kind], finding.Key).AsSpan().SequenceEqual(finding.Change.After));
    }
}
