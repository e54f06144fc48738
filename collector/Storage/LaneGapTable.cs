using System.Data.Common;
using Dapper;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Storage;

/// <summary>Reports that never came, though those after them did.</summary>
/// <param name="To">The last of them.</param>
internal sealed record LaneGap(Lane Lane, ulong Epoch, ulong From, ulong To)
{
    public ulong Count => To - From + 1;
}

/// <summary>What is missing in the sequences of each instance's lanes.</summary>
internal sealed class LaneGapTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>Of one lane of an instance: an agent that leaves out every second report does not fill the disk.</summary>
    private const int MaxGaps = 1_000;

    /// <summary>More no gap counts: sequences are the agent's, and whatever it makes of them can be added up.</summary>
    private const long MostCounted = 1L << 32;

    public void Add(string instanceId, LaneGap gap, DateTimeOffset noticedAt) =>
        connection.Execute(
            """
            INSERT INTO lane_gaps (instance_id, lane, epoch, from_sequence, to_sequence, noticed_at)
                           VALUES (@instanceId, @lane, @epoch, @from, @to, @at);
            DELETE FROM lane_gaps
             WHERE instance_id = @instanceId AND lane = @lane
               AND id <= (SELECT id FROM lane_gaps WHERE instance_id = @instanceId AND lane = @lane ORDER BY id DESC LIMIT 1 OFFSET @MaxGaps);
            """,
            new
            {
                instanceId,
                lane = (long)gap.Lane,
                epoch = (long)gap.Epoch,
                from = (long)gap.From,
                to = (long)gap.To,
                at = noticedAt.ToUnixTimeMilliseconds(),
                MaxGaps,
            },
            transaction);

    /// <summary>The newest of an instance, as far as they are kept; when it was noticed.</summary>
    public IReadOnlyList<(LaneGap Gap, DateTimeOffset NoticedAt)> Of(string instanceId, int most) =>
        [.. connection.Query<(long Lane, long Epoch, long From, long To, long At)>(
            """
            SELECT lane, epoch, from_sequence, to_sequence, noticed_at
              FROM lane_gaps
             WHERE instance_id = @instanceId
             ORDER BY id DESC
             LIMIT @most
            """,
            new { instanceId, most }, transaction)
            .Select(row => (new LaneGap((Lane)row.Lane, (ulong)row.Epoch, (ulong)row.From, (ulong)row.To), DateTimeOffset.FromUnixTimeMilliseconds(row.At)))];

    /// <summary>How many reports of an instance are missing, and when that was noticed last.</summary>
    public (long Count, DateTimeOffset? NoticedAt) Missing(string instanceId)
    {
        var (count, at) = connection.QuerySingle<(long, long?)>(
            """
            SELECT COALESCE(SUM(MIN(to_sequence - from_sequence + 1, @MostCounted)), 0), MAX(noticed_at)
              FROM lane_gaps
             WHERE instance_id = @instanceId
            """,
            new { instanceId, MostCounted }, transaction);
        return (count, at is { } milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null);
    }

    /// <summary>How many health deliveries are missing, by instance and hour in which that was noticed.</summary>
    public IReadOnlyList<(string InstanceId, DateTimeOffset Hour, long Count)> Hourly(string? instanceId, DateTimeOffset from, DateTimeOffset to) =>
        [.. connection.Query<(string InstanceId, long Hour, long Count)>(
            """
            SELECT instance_id, noticed_at - noticed_at % 3600000, SUM(MIN(to_sequence - from_sequence + 1, @MostCounted))
              FROM lane_gaps
             WHERE (@instanceId IS NULL OR instance_id = @instanceId) AND lane = @Health AND noticed_at >= @from AND noticed_at < @to
             GROUP BY 1, 2
            """,
            new { instanceId, MostCounted, Health = (long)Lane.Health, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() }, transaction)
            .Select(row => (row.InstanceId, DateTimeOffset.FromUnixTimeMilliseconds(row.Hour), row.Count))];

    /// <returns>How many rows went.</returns>
    public int DeleteBefore(DateTimeOffset time, int most) =>
        connection.Execute(
            "DELETE FROM lane_gaps WHERE id IN (SELECT id FROM lane_gaps WHERE noticed_at < @before LIMIT @most)",
            new { before = time.ToUnixTimeMilliseconds(), most }, transaction);
}
