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
