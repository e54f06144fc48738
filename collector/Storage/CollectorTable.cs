using System.Data.Common;
using Dapper;

namespace Telemetry.Collector.Storage;

/// <summary>What this collector is to its fleet.</summary>
internal sealed class CollectorTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>Names the key of the fleet that was in use last; null before the first.</summary>
    public string? FleetKeyId() =>
        connection.QuerySingle<string?>("SELECT fleet_key_id FROM collector", transaction: transaction);

    public void SetFleetKeyId(string id) =>
        connection.Execute("UPDATE collector SET fleet_key_id = @id", new { id }, transaction);

    /// <summary>When this collector, or the one before, was last known to run.</summary>
    public DateTimeOffset? AliveAt() =>
        connection.QuerySingle<long?>("SELECT alive_at FROM collector", transaction: transaction) is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    public void Started() =>
        connection.Execute("UPDATE collector SET returns_at_start = (SELECT COUNT(*) FROM store_returns)", transaction: transaction);

    /// <summary>
    /// The store was put back to an older copy: ids and positions given since that copy are not given again. Once after each start is
    /// enough; the clock in milliseconds is ahead of whatever was given, and should it have been set back, so are four billion more.
    /// </summary>
    /// <returns>Whether this is the first sign of it since the start.</returns>
    public bool Returned(DateTimeOffset now)
    {
        var parameters = new { now = now.ToUnixTimeMilliseconds() };
        var isFirst = connection.QuerySingle<long>(
            "SELECT (SELECT COUNT(*) FROM store_returns) = returns_at_start FROM collector", transaction: transaction) != 0;
        if (!isFirst)
            return false;

        connection.Execute(
            """
            UPDATE collector SET id_floor = MAX(id_floor + 4294967296, @now);
            INSERT INTO store_returns (at, last_event, floor)
                 SELECT @now, COALESCE((SELECT MAX(id) FROM events), 0), id_floor FROM collector;
            INSERT INTO sqlite_sequence (name, seq)
                 SELECT 'events', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events');
            UPDATE sqlite_sequence SET seq = MAX(seq, (SELECT id_floor FROM collector)) WHERE name = 'events';
            """,
            parameters, transaction);
        return true;
    }

    /// <summary>Whether a position in the outbox is of a store that is no more: what was told up to there did not happen here.</summary>
    public bool IsOfLostStore(long position) =>
        connection.QuerySingle<long>(
            "SELECT EXISTS (SELECT 1 FROM store_returns WHERE @position > last_event AND @position <= floor)", new { position }, transaction) != 0;

    /// <summary>Notes that acceptances are signed from now on.</summary>
    /// <returns>Whether that is news.</returns>
    public bool BeginAcceptances() =>
        connection.Execute("UPDATE collector SET has_acceptances = 1 WHERE has_acceptances = 0", transaction: transaction) > 0;

    /// <summary>Whether any instance ever reported a state, or any image was imported.</summary>
    public bool HoldsStates() =>
        connection.QuerySingle<long>(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM heads) OR EXISTS (SELECT 1 FROM baselines) THEN 1 ELSE 0 END", transaction: transaction) != 0;
}
