using System.Data.Common;
using Dapper;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>What people decided about deviations, and about which.</summary>
internal sealed class DecisionTable(DbConnection connection, DbTransaction transaction)
{
    private const string Select =
        """
        SELECT d.id          AS Id,
               d.kind        AS Kind,
               d.decided_by  AS DecidedBy,
               d.reason      AS Reason,
               d.at          AS At,
               d.until       AS Until,
               d.layer_id    AS LayerId,
               d.baseline_id AS BaselineId
          FROM decisions d
        """;

    /// <summary>Adds a decision; the id in <paramref name="decision"/> is not used.</summary>
    public Decision Add(Decision decision, IEnumerable<Deviation> deviations)
    {
        var id = connection.QuerySingle<long>(
            """
            INSERT INTO decisions ( kind,  decided_by,  reason,  at,  until,  layer_id,  baseline_id)
                           VALUES (@Kind, @By,         @Reason, @At, @Until, @LayerId,  @BaselineId)
            RETURNING id
            """,
            new
            {
                Kind = (long)decision.Gives,
                decision.By,
                decision.Reason,
                At = decision.At.ToUnixTimeMilliseconds(),
                Until = decision.Until?.ToUnixTimeMilliseconds(),
                decision.LayerId,
                decision.BaselineId,
            },
            transaction);
        connection.Execute(
            """
            INSERT INTO decided_entries (decision_id, deviation_id, instance_id, kind, key, actual)
                                 VALUES (@id,         @Id,          @InstanceId, @Kind, @Key, @Actual)
            """,
            deviations.Select(deviation => new
            {
                id,
                deviation.Id,
                deviation.InstanceId,
                Kind = (long)deviation.Kind,
                Key = deviation.Key.Bytes.ToArray(),
                Actual = deviation.Actual ?? [],
            }),
            transaction);
        return decision with { Id = id };
    }

    /// <summary>Notes that what these are is approved for a line.</summary>
    public void AddApproved(string line, IEnumerable<Deviation> deviations) =>
        connection.Execute(
            "INSERT OR IGNORE INTO approved_entries (line, kind, key, actual) VALUES (@line, @Kind, @Key, @Actual)",
            deviations.DistinctBy(deviation => (deviation.Kind, deviation.Key))
                .Select(deviation => new { line, Kind = (long)deviation.Kind, Key = deviation.Key.Bytes.ToArray(), Actual = deviation.Actual ?? [] }),
            transaction);

    /// <summary>What was ever approved for a line: states of entries, encoded; empty: the entry is gone.</summary>
    public ILookup<(EntryKind Kind, EntryKey Key), byte[]> ApprovedOf(string line) =>
        connection.Query<(long Kind, byte[] Key, byte[] Actual)>(
                "SELECT kind, key, actual FROM approved_entries WHERE line = @line", new { line }, transaction)
            .ToLookup(row => ((EntryKind)row.Kind, new EntryKey(row.Key)), row => row.Actual);

    /// <summary>Everything decided about an entry of an instance, newest first.</summary>
    public IReadOnlyList<Decision> OfEntry(string instanceId, EntryKind kind, EntryKey key) =>
        [.. connection.Query<Row>(
                Select +
                """
                 WHERE d.id IN (SELECT e.decision_id
                                  FROM decided_entries e
                                 WHERE e.instance_id = @instanceId AND e.kind = @Kind AND e.key = @Key)
                 ORDER BY d.id DESC
                """,
                new { instanceId, Kind = (long)kind, Key = key.Bytes.ToArray() }, transaction)
            .Select(row => row.ToDecision())];

    public Decision Get(long id) => connection.QuerySingle<Row>(Select + " WHERE d.id = @id", new { id }, transaction).ToDecision();

    /// <summary>The newest decision about a state of an entry, if it still holds; an approval holds in a baseline, not here.</summary>
    /// <param name="actual">Encoded fingerprint; null: the entry is gone.</param>
    public Decision? Standing(string instanceId, EntryKind kind, EntryKey key, byte[]? actual, DateTimeOffset now)
    {
        var newest = connection.QueryFirstOrDefault<Row>(
            Select +
            """
             JOIN decided_entries e ON e.decision_id = d.id
             WHERE e.instance_id = @instanceId AND e.kind = @Kind AND e.key = @Key AND e.actual = @Actual
             ORDER BY d.id DESC
             LIMIT 1
            """,
            new { instanceId, Kind = (long)kind, Key = key.Bytes.ToArray(), Actual = actual ?? [] }, transaction)?.ToDecision();
        return newest is null or { Gives: DeviationState.Approved } || newest.Until <= now ? null : newest;
    }

    private sealed record Row(long Id, long Kind, string DecidedBy, string Reason, long At, long? Until, long? LayerId, long? BaselineId)
    {
        public Decision ToDecision() => new(
            Id,
            (DeviationState)Kind,
            DecidedBy,
            Reason,
            DateTimeOffset.FromUnixTimeMilliseconds(At),
            Until is { } until ? DateTimeOffset.FromUnixTimeMilliseconds(until) : null,
            LayerId,
            BaselineId);
    }
}
