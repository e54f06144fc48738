using System.Data.Common;
using Dapper;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Storage;

/// <summary>What shows that instances were running, and that they were not.</summary>
internal sealed class PresenceTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>Samples no further apart belong to one run: six of the usual interval.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(60);

    /// <summary>An instance is connected from now on. What is between this boot and the last sign of life before it is a gap.</summary>
    /// <param name="bootedAt">The collector's clock; null when unknown.</param>
    public long Begin(string instanceId, DateTimeOffset now, string bootId, DateTimeOffset? bootedAt, bool isSampled)
    {
        var last = connection.QuerySingleOrDefault<(string BootId, long SeenAt, long IsSampled)>(
            "SELECT boot_id, COALESCE(ended_at, began_at), is_sampled FROM sessions WHERE instance_id = @instanceId ORDER BY began_at DESC, id DESC LIMIT 1",
            new { instanceId }, transaction);
        if (last is { BootId.Length: > 0, IsSampled: not 0 } && bootId.Length > 0 && last.BootId != bootId && bootedAt?.ToUnixTimeMilliseconds() > last.SeenAt)
            AddGap(instanceId, last.SeenAt, bootedAt.Value.ToUnixTimeMilliseconds());

        return connection.QuerySingle<long>(
            """
            INSERT INTO sessions (instance_id, began_at, boot_id, is_sampled) VALUES (@instanceId, @now, @bootId, @isSampled)
            RETURNING id
            """,
            new { instanceId, now = now.ToUnixTimeMilliseconds(), bootId, isSampled }, transaction);
    }

    public void End(long sessionId, DateTimeOffset lastSeen) =>
        connection.Execute(
            "UPDATE sessions SET ended_at = MAX(began_at, @at) WHERE id = @sessionId", new { sessionId, at = lastSeen.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>This collector runs.</summary>
    public void Alive(DateTimeOffset now) =>
        connection.Execute("UPDATE collector SET alive_at = @now", new { now = now.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>A collector has just started: whatever session is open ended with the one before, when that was last known to run.</summary>
    public void EndAll() =>
        connection.Execute(
            "UPDATE sessions SET ended_at = MAX(began_at, COALESCE((SELECT alive_at FROM collector), 0)) WHERE ended_at IS NULL", transaction: transaction);

    /// <summary>An instance sampled metrics at a time when it was not connected.</summary>
    public void Sampled(string instanceId, DateTimeOffset at)
    {
        var parameters = new { instanceId, at = at.ToUnixTimeMilliseconds(), pause = (long)LongestPause.TotalMilliseconds };
        var isJoined = connection.Execute(
            """
            UPDATE sample_runs
               SET ended_at = MAX(ended_at, @at)
             WHERE instance_id = @instanceId
               AND began_at = (SELECT MAX(began_at) FROM sample_runs WHERE instance_id = @instanceId AND began_at <= @at)
               AND ended_at >= @at - @pause
            """,
            parameters, transaction) != 0;
        if (!isJoined)
        {
            connection.Execute(
                "INSERT INTO sample_runs (instance_id, began_at, ended_at) VALUES (@instanceId, @at, @at) ON CONFLICT DO NOTHING", parameters, transaction);
        }
    }

    /// <summary>What is known of an instance between two times, each as far as it reaches.</summary>
    public Presence Of(string instanceId, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now)
    {
        var parameters = new { instanceId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds(), now = now.ToUnixTimeMilliseconds() };
        return new Presence(
            Intervals("SELECT began_at, COALESCE(ended_at, @now) FROM sessions WHERE instance_id = @instanceId AND began_at < @to AND COALESCE(ended_at, @now) > @from"),
            Intervals("SELECT began_at, ended_at FROM sample_runs WHERE instance_id = @instanceId AND began_at < @to AND ended_at > @from"),
            Intervals("SELECT began_at, ended_at FROM boot_gaps WHERE instance_id = @instanceId AND began_at < @to AND ended_at > @from"));

        IReadOnlyList<Interval> Intervals(string sql) =>
            [.. connection.Query<(long From, long To)>(sql, parameters, transaction)
                .Select(row => new Interval(DateTimeOffset.FromUnixTimeMilliseconds(row.From), DateTimeOffset.FromUnixTimeMilliseconds(row.To)))];
    }

    /// <returns>How many rows went.</returns>
    public int DeleteBefore(DateTimeOffset time, int most)
    {
        var parameters = new { before = time.ToUnixTimeMilliseconds(), most };
        return connection.Execute("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ended_at < @before LIMIT @most)", parameters, transaction)
            + connection.Execute("DELETE FROM sample_runs WHERE rowid IN (SELECT rowid FROM sample_runs WHERE ended_at < @before LIMIT @most)", parameters, transaction)
            + connection.Execute("DELETE FROM boot_gaps WHERE rowid IN (SELECT rowid FROM boot_gaps WHERE ended_at < @before LIMIT @most)", parameters, transaction);
    }

    private void AddGap(string instanceId, long from, long to) =>
        connection.Execute(
            "INSERT INTO boot_gaps (instance_id, began_at, ended_at) VALUES (@instanceId, @from, @to) ON CONFLICT DO NOTHING",
            new { instanceId, from, to }, transaction);
}
