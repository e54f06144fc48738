using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Causes;

/// <summary>
/// Change records that come after the head they belong to: what is open and unexplained gets its actor and its cause yet.
/// What has either keeps it, but for its standing in a package transaction; and nothing is told again.
/// </summary>
internal static class LateRecords
{
    public static void Annotate(StoreTransaction transaction, string instanceId, IReadOnlyList<ChangeRecord> records)
    {
        var joins = new Dictionary<long, CauseJoin>();
        foreach (var record in records)
        {
            // Only at the end of a transaction it shows what a change made meanwhile was.
            if (record.Membership == Membership.Residue)
                transaction.Deviations.MarkResidue(instanceId, record.Kind, record.Key, record.Fingerprint);
            if (transaction.Deviations.OpenUnexplained(instanceId, record.Kind, record.Key, record.Fingerprint) is not { } deviation)
                continue;

            if (!joins.TryGetValue(deviation.BaselineId, out var join))
                joins[deviation.BaselineId] = join = new CauseJoin(transaction, instanceId, transaction.Baselines.LineOf(deviation.BaselineId));

            var stored = StoredChange.ThatMade(record.Fingerprint, transaction.Changes.Of(instanceId, record.Kind, record.Key));
            if (join.TryExplain(deviation, stored, out var explained))
                transaction.Deviations.Update(explained);
        }
    }
}
