using Telemetry.Collector.Compare;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Baselines;

/// <summary>Of the versions that lines require, the one that an instance bound to none differs from least.</summary>
/// <param name="Differences">Deviations that there would be if the instance were bound to it.</param>
internal sealed record NearestBaseline(VersionName Name, int Differences)
{
    /// <summary>Differences over all lines that are looked at before it is given up: some seconds.</summary>
    private const int MostLookedAt = 1_000_000;

    /// <param name="transaction">Is read only.</param>
    /// <returns>Null: there is no line, or none is anywhere near.</returns>
    public static NearestBaseline? Of(StoreTransaction transaction, PolicyBook policies, Seals seals, InstanceHead head)
    {
        // From what nobody signed who may, nothing is concluded.
        var versions = transaction.Baselines.NewestOfLines().Where(version => seals.ProblemOf(transaction, version).Length == 0).ToList();
        if (Nearest(transaction, policies, versions, head) is not { } nearest)
            return null;

        var findings = PolicyComparison.Between(
            transaction.Nodes, nearest.Roots, head.Roots, new CoverageOverlap(nearest.Coverage, head.Coverage), policies.OfLine(transaction, nearest.Name.Line).Yardstick);
        return new NearestBaseline(nearest.Name, findings.Count(finding => finding.IsDeviation));
    }

    /// <summary>
    /// All are compared in step, and the first that has no further difference is nearest: so each costs no more than that one. None may
    /// win by saying less: what one of them covers counts for all, and what can't be concluded counts as a difference. Of equals it is
    /// the newest.
    /// </summary>
    private static Baseline? Nearest(StoreTransaction transaction, PolicyBook policies, IReadOnlyList<Baseline> versions, InstanceHead head)
    {
        var inStep = versions.Select(version => (Version: version, Findings: Compare(version).GetEnumerator())).ToList();
        for (var looked = 0; looked < MostLookedAt && inStep.Count > 0; looked += inStep.Count)
        {
            var ended = inStep.Where(compared => !compared.Findings.MoveNext()).Select(compared => compared.Version).ToList();
            if (ended.Count > 0)
                return ended.MaxBy(version => (version.CreatedAt, version.Id));
        }

        return null;

        IEnumerable<Finding> Compare(Baseline version) => PolicyComparison.Find(
            transaction.Nodes, version.Roots, head.Roots, Counts, policies.OfLine(transaction, version.Name.Line).Yardstick);

        bool Counts(EntryKind kind, ReadOnlySpan<byte> key)
        {
            if (!head.Coverage.Covers(kind, key))
                return false;
            foreach (var version in versions)
            {
                if (version.Coverage.Covers(kind, key))
                    return true;
            }

            return false;
        }
    }
}
