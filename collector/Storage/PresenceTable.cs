using System.Data.Common;
using Dapper;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Storage;

/// <summary>An instance that is connected from now on.</summary>
/// <param name="BootId">Empty: unknown.</param>
/// <param name="BootedAt">The collector's clock; null when unknown.</param>
/// <param name="IsSampled">It samples while it runs, connected or not.</param>
/// <param name="Sampling">How often.</param>
internal sealed record Arrival(string InstanceId, DateTimeOffset At, string BootId, DateTimeOffset? BootedAt, bool IsSampled, TimeSpan Sampling);

/// <summary>What shows that instances were running, and that they were not.</summary>
internal sealed class PresenceTable(DbConnection connection, DbTransaction transaction)
{
    /// <returns>Of the session that begins.</returns>
    public long Begin(Arrival arrival)
    {
        var parameters = new
        {
            arrival.InstanceId,
            At = Milliseconds(arrival.At),
            arrival.BootId,
            arrival.IsSampled,
            Sampling = (long)arrival.Sampling.TotalMilliseconds,
        };

        // One that is still to come was before the clock was set back: others followed it.
        var last = connection.QuerySingleOrDefault<(string BootId, long IsSampled)?>(
            """
            SELECT boot_id, is_sampled
              FROM sessions
             WHERE instance_id = @InstanceId AND began_at <= @At
             ORDER BY began_at DESC, id DESC
             LIMIT 1
            """,
            parameters, transaction);
        if (arrival.BootId.Length == 0 || arrival.BootId != last?.BootId)
            AddBoot(arrival, last is { BootId.Length: > 0, IsSampled: not 0 } && arrival is { BootId.Length: > 0, BootedAt: not null });

        // One that could not be ended when it did is of no length until its end is written: nothing more of it is known here.
        connection.Execute("UPDATE sessions SET ended_at = began_at WHERE instance_id = @InstanceId AND ended_at IS NULL", parameters, transaction);
        return connection.QuerySingle<long>(
            """
            INSERT INTO sessions ( instance_id, began_at, boot_id,  is_sampled,  sampling)
                          VALUES (@InstanceId, @At,      @BootId,  @IsSampled,  @Sampling)
            RETURNING id
            """,
            parameters, transaction);
    }

    public void End(long sessionId, DateTimeOffset lastSeen) =>
        connection.Execute(
            "UPDATE sessions SET began_at = MIN(began_at, @at), ended_at = @at WHERE id = @sessionId", new { sessionId, at = Milliseconds(lastSeen) }, transaction);

    /// <summary>This collector runs. Sessions that last and are still to come, for its clock was set back, last since now.</summary>
    public void Alive(DateTimeOffset now) =>
        connection.Execute(
            """
            UPDATE collector SET alive_at = @now;
            UPDATE sessions SET began_at = @now WHERE ended_at IS NULL AND began_at > @now;
            """,
            new { now = Milliseconds(now) }, transaction);

    /// <summary>A collector has just started: whatever session is open ended with the one before, when that was last known to run.</summary>
    public void EndAll() =>
        connection.Execute(
            """
            UPDATE instances
               SET last_seen = MAX(last_seen, (SELECT alive_at FROM collector))
             WHERE id IN (SELECT instance_id FROM sessions WHERE ended_at IS NULL) AND (SELECT alive_at FROM collector) IS NOT NULL;
            UPDATE sessions SET ended_at = MAX(began_at, COALESCE((SELECT alive_at FROM collector), 0)) WHERE ended_at IS NULL;
            """,
            transaction: transaction);

    /// <summary>An instance sampled at a time when it was not connected.</summary>
    public void Sampled(string instanceId, DateTimeOffset at, TimeSpan sampling)
    {
        var parameters = new
        {
            instanceId,
            at = Milliseconds(at),
            sampling = (long)sampling.TotalMilliseconds,
            pause = (long)(Presence.Missed * sampling).TotalMilliseconds,
        };
        var isJoined = connection.Execute(
            """
            UPDATE sample_runs
               SET ended_at = MAX(ended_at, @at), sampling = @sampling
             WHERE instance_id = @instanceId
               AND began_at = (SELECT MAX(began_at) FROM sample_runs WHERE instance_id = @instanceId AND began_at <= @at)
               AND ended_at >= @at - @pause
               AND NOT EXISTS (SELECT 1 FROM boots WHERE instance_id = @instanceId AND booted_at >= ended_at AND booted_at <= @at)
            """,
            parameters, transaction) != 0;
        if (!isJoined)
        {
            connection.Execute(
                "INSERT INTO sample_runs (instance_id, began_at, ended_at, sampling) VALUES (@instanceId, @at, @at, @sampling) ON CONFLICT DO NOTHING", parameters, transaction);
        }
    }

    /// <summary>What is known of an instance between two times, and of the time around as far as that matters.</summary>
    /// <param name="lastSeen">When an instance that is connected was last heard of: its session has come so far. Null: it is not connected.</param>
    public Presence Of(string instanceId, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, DateTimeOffset? lastSeen)
    {
        var parameters = new
        {
            instanceId,
            from = Milliseconds(from) - (long)Presence.Reach.TotalMilliseconds,
            to = Milliseconds(to) + (long)Presence.Reach.TotalMilliseconds,
            lastSeen = lastSeen is { } seen ? Milliseconds(seen) : 0,
        };
        var alive = connection.Query<(long From, long To, long Sampling)>(
            """
            SELECT began_at, COALESCE(ended_at, MAX(began_at, @lastSeen)), sampling
              FROM sessions
             WHERE instance_id = @instanceId AND began_at < @to AND COALESCE(ended_at, MAX(began_at, @lastSeen)) >= @from
             UNION ALL
            SELECT began_at, ended_at, sampling
              FROM sample_runs
             WHERE instance_id = @instanceId AND began_at < @to AND ended_at >= @from
            """,
            parameters, transaction)
            .Select(row => new SignOfLife(Time(row.From), Time(row.To), TimeSpan.FromMilliseconds(row.Sampling)))
            .ToList();
        var down = new StateIntervalTable(connection, transaction).Of(
            instanceId, from, to, now, lastAlive: alive.Select(sign => sign.To).DefaultIfEmpty(DateTimeOffset.MinValue).Max());
        return new Presence
        {
            Alive = alive,
            Boots =
            [
                .. connection.Query<(long At, long IsProof)>(
                    "SELECT booted_at, is_proof FROM boots WHERE instance_id = @instanceId AND booted_at >= @from AND booted_at < @to", parameters, transaction)
                    .Select(row => new Boot(Time(row.At), row.IsProof != 0)),
            ],
            Lost =
            [
                .. connection.Query<long>(
                    """
                    SELECT DISTINCT hour
                      FROM point_accounts
                     WHERE instance_id = @instanceId AND hour >= @from - 3600000 AND hour < @to AND lost_full + lost_damaged > 0
                    """,
                    parameters, transaction)
                    .Select(hour => new Interval(Time(hour), Time(hour).AddHours(1))),
            ],
            Failing = down[DownSource.Check].ToList(),
            Stopped = down[DownSource.Cloud].ToList(),
        };
    }

    /// <returns>How many rows went.</returns>
    public int DeleteBefore(DateTimeOffset time, int most)
    {
        // A run that ended before the time began before it, too: by that it is found, for its end moves with each sample.
        var parameters = new { before = Milliseconds(time), most };
        return connection.Execute("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ended_at < @before LIMIT @most)", parameters, transaction)
            + connection.Execute("DELETE FROM sample_runs WHERE rowid IN (SELECT rowid FROM sample_runs WHERE began_at < @before AND ended_at < @before LIMIT @most)", parameters, transaction)
            + connection.Execute("DELETE FROM boots WHERE rowid IN (SELECT rowid FROM boots WHERE booted_at < @before LIMIT @most)", parameters, transaction)
            + connection.Execute("DELETE FROM state_intervals WHERE rowid IN (SELECT rowid FROM state_intervals WHERE ended_at < @before LIMIT @most)", parameters, transaction);
    }

    private void AddBoot(Arrival arrival, bool isProof) =>
        connection.Execute(
            "INSERT INTO boots (instance_id, booted_at, is_proof) VALUES (@InstanceId, MIN(@bootedAt, @now), @isProof) ON CONFLICT DO NOTHING",
            new { arrival.InstanceId, bootedAt = Milliseconds(arrival.BootedAt ?? arrival.At), now = Milliseconds(arrival.At), isProof }, transaction);

    private static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
