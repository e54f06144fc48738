using System.Data.Common;
using Dapper;
using Telemetry.Collector.Checks;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Storage;

/// <summary>What else than a lack of contact says that an instance was down. Numbers are in the store: never change one.</summary>
internal enum DownSource
{
    /// <summary>A check that defines the service fails.</summary>
    Check = 1,

    /// <summary>The cloud says that it is stopped.</summary>
    Cloud = 2,
}

/// <summary>When instances were down, as something says that knows.</summary>
internal sealed class StateIntervalTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>Of one instance: 25 a day for as long as history is kept. Beyond it some become one, see <see cref="DownTime.Joined"/>.</summary>
    public const int MaxKept = 10_000;

    private const int JoinedAtOnce = MaxKept / 10;

    /// <summary>It is down from then on. Once more changes nothing while it lasts.</summary>
    /// <param name="name">Which check; else empty.</param>
    public void Begin(string instanceId, DownSource source, string name, DateTimeOffset at)
    {
        var begun = connection.Execute(
            """
            INSERT INTO state_intervals (instance_id, source, name, began_at)
                 SELECT @instanceId, @source, @name, @at
                  WHERE NOT EXISTS (SELECT 1 FROM state_intervals
                                     WHERE instance_id = @instanceId AND source = @source AND name = @name AND ended_at IS NULL)
            ON CONFLICT DO NOTHING
            """,
            new { instanceId, source = (long)source, name, at = at.ToUnixTimeMilliseconds() }, transaction);
        if (begun > 0 && connection.QuerySingle<long>("SELECT COUNT(*) FROM state_intervals WHERE instance_id = @instanceId", new { instanceId }, transaction) > MaxKept)
            Bound(instanceId);
    }

    /// <summary>It is not down any more, for that reason.</summary>
    public void End(string instanceId, DownSource source, string name, DateTimeOffset at) =>
        connection.Execute(
            """
            UPDATE state_intervals SET ended_at = MAX(began_at, @at)
             WHERE instance_id = @instanceId AND source = @source AND name = @name AND ended_at IS NULL
            """,
            new { instanceId, source = (long)source, name, at = at.ToUnixTimeMilliseconds() }, transaction);

    /// <summary>Those that reach between two times.</summary>
    /// <param name="lastAlive">Until then a check that fails was told to: what it does without contact nobody knows.</param>
    public ILookup<DownSource, Interval> Of(string instanceId, DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, DateTimeOffset lastAlive) =>
        connection.Query<(long Source, long From, long? To)>(
            """
            SELECT source, began_at, ended_at
              FROM state_intervals
             WHERE instance_id = @instanceId AND began_at < @to AND (ended_at IS NULL OR ended_at > @from)
            """,
            new { instanceId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() }, transaction)
            .ToLookup(
                row => (DownSource)row.Source,
                row => new Interval(
                    DateTimeOffset.FromUnixTimeMilliseconds(row.From),
                    row.To is { } ended ? DateTimeOffset.FromUnixTimeMilliseconds(ended) : (DownSource)row.Source == DownSource.Cloud ? now : lastAlive));

    private void Bound(string instanceId)
    {
        var times = connection.Query<(long Source, string Name, long From, long? To)>(
            "SELECT source, name, began_at, ended_at FROM state_intervals WHERE instance_id = @instanceId ORDER BY source, name, began_at", new { instanceId }, transaction)
            .Select(row => new DownTime((DownSource)row.Source, row.Name, row.From, row.To)).ToList();
        foreach (var (grown, takenIn) in DownTime.Joined(times, times.Count - MaxKept + JoinedAtOnce))
        {
            connection.Execute(
                "DELETE FROM state_intervals WHERE instance_id = @instanceId AND source = @Source AND name = @Name AND began_at = @From",
                takenIn.Select(time => new { instanceId, Source = (long)time.Source, time.Name, time.From }), transaction);
            connection.Execute(
                "UPDATE state_intervals SET ended_at = @To WHERE instance_id = @instanceId AND source = @Source AND name = @Name AND began_at = @From",
                new { instanceId, Source = (long)grown.Source, grown.Name, grown.From, grown.To }, transaction);
        }

        // Of ever other checks there is nothing to join: the oldest that are over go.
        connection.Execute(
            """
            DELETE FROM state_intervals
             WHERE rowid IN (SELECT rowid FROM state_intervals WHERE instance_id = @instanceId AND ended_at IS NOT NULL ORDER BY began_at
                              LIMIT MAX(0, (SELECT COUNT(*) FROM state_intervals WHERE instance_id = @instanceId) - @most))
            """,
            new { instanceId, most = MaxKept - JoinedAtOnce }, transaction);
    }
}
