using System.Data.Common;
using Dapper;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Who made which change: the newest few records of each key of each instance.</summary>
internal sealed class ChangeTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>How long records are kept. What was not judged within it is dated by its head alone.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(7);

    /// <summary>Records of one instance beyond this go, oldest first.</summary>
    public const int MaxOfInstance = 100_000;

    /// <summary>Processes of one instance beyond this go with their records, the longest unseen first: each takes some kilobytes.</summary>
    public const int MaxActorsOfInstance = 2_000;

    /// <summary>The same of runs of a package manager.</summary>
    public const int MaxTransactionsOfInstance = 500;

    /// <summary>Of one key: the head that is on its way may be some changes behind.</summary>
    private const int MaxOfKey = 4;

    private readonly ActorTable _actors = new(connection, transaction);
    private readonly PackageTransactionTable _transactions = new(connection, transaction);

    /// <summary>Takes records in, in their order. One that is known already is replaced, and counts as the newest of its key.</summary>
    public void Add(string instanceId, IReadOnlyList<ChangeRecord> records, DateTimeOffset receivedAt)
    {
        var actors = new Dictionary<Actor, long>(ReferenceEqualityComparer.Instance);
        var transactions = new Dictionary<PackageTransaction, long>(ReferenceEqualityComparer.Instance);
        var rows = records
            .Select(record => new
            {
                InstanceId = instanceId,
                Kind = (long)record.Kind,
                Key = record.Key.Bytes.ToArray(),
                record.Fingerprint,
                ObservedAt = record.ObservedAt.ToUnixTimeMilliseconds(),
                ReceivedAt = receivedAt.ToUnixTimeMilliseconds(),
                ActorId = IdOf(record.Actor, actors, _actors.Add),
                TransactionId = IdOf(record.Transaction, transactions, _transactions.Add),
                Membership = (long)record.Membership,
                Newest = MaxOfKey - 1,
            })
            .ToList();
        connection.Execute(
            """
            REPLACE INTO changes ( instance_id, kind,  key,  fingerprint,  observed_at,  received_at,  actor_id,  transaction_id,  membership)
                          VALUES (@InstanceId, @Kind, @Key, @Fingerprint, @ObservedAt,  @ReceivedAt,  @ActorId,  @TransactionId,  @Membership)
            """,
            rows, transaction);
        connection.Execute(
            """
            DELETE FROM changes
             WHERE instance_id = @InstanceId AND kind = @Kind AND key = @Key
               AND id < (SELECT id
                           FROM changes
                          WHERE instance_id = @InstanceId AND kind = @Kind AND key = @Key
                          ORDER BY id DESC
                          LIMIT 1 OFFSET @Newest)
            """,
            rows, transaction);
    }

    /// <summary>The records of one key, newest first.</summary>
    public IReadOnlyList<StoredChange> Of(string instanceId, EntryKind kind, EntryKey key) =>
        [.. connection.Query<Row>(
                """
                SELECT id             AS Id,
                       fingerprint    AS Fingerprint,
                       observed_at    AS ObservedAt,
                       received_at    AS ReceivedAt,
                       actor_id       AS ActorId,
                       transaction_id AS TransactionId,
                       membership     AS Membership
                  FROM changes
                 WHERE instance_id = @instanceId AND kind = @Kind AND key = @Key
                 ORDER BY id DESC
                """,
                new { instanceId, Kind = (long)kind, Key = key.Bytes.ToArray() }, transaction)
            .Select(row => row.ToChange())];

    public void Delete(IEnumerable<long> ids) =>
        connection.Execute("DELETE FROM changes WHERE id = @id", ids.Select(id => new { id }), transaction);

    /// <summary>Drops the oldest records of an instance that has too many, or too many actors; and those actors.</summary>
    public void Trim(string instanceId, int max = MaxOfInstance, int maxActors = MaxActorsOfInstance, int maxTransactions = MaxTransactionsOfInstance)
    {
        var gone = connection.Query<(long? Actor, long? Transaction)>(
            """
            DELETE FROM changes
             WHERE instance_id = @instanceId
               AND (id <= (SELECT id FROM changes WHERE instance_id = @instanceId ORDER BY id DESC LIMIT 1 OFFSET @max)
                    OR actor_id       IN (SELECT actor_id
                                            FROM changes
                                           WHERE instance_id = @instanceId AND actor_id IS NOT NULL
                                           GROUP BY actor_id
                                           ORDER BY MAX(id) DESC
                                           LIMIT -1 OFFSET @maxActors)
                    OR transaction_id IN (SELECT transaction_id
                                            FROM changes
                                           WHERE instance_id = @instanceId AND transaction_id IS NOT NULL
                                           GROUP BY transaction_id
                                           ORDER BY MAX(id) DESC
                                           LIMIT -1 OFFSET @maxTransactions))
            RETURNING actor_id, transaction_id
            """,
            new { instanceId, max, maxActors, maxTransactions }, transaction).ToList();
        _actors.DeleteUnused(gone.Select(row => row.Actor).OfType<long>().Distinct());
        _actors.DeleteNewestUnused();
        _transactions.DeleteUnused(gone.Select(row => row.Transaction).OfType<long>().Distinct());
        _transactions.DeleteNewestUnused();
    }

    /// <summary>Drops some of the oldest records, if they came in before a time.</summary>
    /// <returns>How many; fewer than <paramref name="limit"/> when no more are as old.</returns>
    public int DeleteBefore(DateTimeOffset time, int limit) =>
        connection.Execute(
            "DELETE FROM changes WHERE received_at < @time AND id IN (SELECT id FROM changes ORDER BY id LIMIT @limit)",
            new { time = time.ToUnixTimeMilliseconds(), limit }, transaction);

    private static long? IdOf<T>(T? item, Dictionary<T, long> known, Func<T, long> add)
        where T : class
    {
        if (item is null)
            return null;
        if (!known.TryGetValue(item, out var id))
            known[item] = id = add(item);
        return id;
    }

    private sealed record Row(
        long Id, byte[] Fingerprint, long ObservedAt, long ReceivedAt, long? ActorId, long? TransactionId, long Membership)
    {
        public StoredChange ToChange() => new(
            Id,
            Fingerprint,
            DateTimeOffset.FromUnixTimeMilliseconds(ObservedAt),
            DateTimeOffset.FromUnixTimeMilliseconds(ReceivedAt),
            ActorId,
            TransactionId,
            (Membership)Membership);
    }
}
