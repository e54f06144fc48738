using System.Data.Common;
using Dapper;

namespace Telemetry.Collector.Storage;

/// <summary>Instances to be judged anew. Who changes what judges them adds them in the same transaction, so that no crash forgets one.</summary>
internal sealed class PendingTable(DbConnection connection, DbTransaction transaction)
{
    public void Add(IEnumerable<string> instanceIds) =>
        connection.Execute(
            "INSERT INTO pending_judgements (instance_id) VALUES (@instanceId) ON CONFLICT DO NOTHING",
            instanceIds.Select(instanceId => new { instanceId }), transaction);

    /// <returns>Whether it was there.</returns>
    public bool Remove(string instanceId) =>
        connection.Execute("DELETE FROM pending_judgements WHERE instance_id = @instanceId", new { instanceId }, transaction) > 0;

    /// <summary>The first of them, in the order they were added.</summary>
    /// <param name="after">Only those behind this one; 0: all.</param>
    public IReadOnlyList<(long Id, string InstanceId)> After(long after, int most) =>
        [.. connection.Query<(long, string)>(
            "SELECT id, instance_id FROM pending_judgements WHERE id > @after ORDER BY id LIMIT @most", new { after, most }, transaction)];

    public long Count() => connection.QuerySingle<long>("SELECT COUNT(*) FROM pending_judgements", transaction: transaction);
}
