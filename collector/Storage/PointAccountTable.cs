using System.Data.Common;
using Dapper;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Storage;

/// <summary>What became of the metric points of each instance and hour, as both ends count.</summary>
internal sealed class PointAccountTable(DbConnection connection, DbTransaction transaction)
{
    /// <param name="hour">When it began.</param>
    public void Count(string instanceId, DateTimeOffset hour, ulong epoch, PointCounts counts) =>
        connection.Execute(
            """
            INSERT INTO point_accounts ( instance_id,  hour,  epoch,  collected,  stored,  rejected,  lost_full,  lost_damaged)
                                VALUES (@instanceId, @hour, @epoch, @Collected, @Stored, @Rejected, @LostFull,   @LostDamaged)
            ON CONFLICT (instance_id, hour, epoch) DO UPDATE
               SET collected    = MAX(collected, excluded.collected),
                   stored       = stored       + excluded.stored,
                   rejected     = rejected     + excluded.rejected,
                   lost_full    = lost_full    + excluded.lost_full,
                   lost_damaged = lost_damaged + excluded.lost_damaged
            """,
            new
            {
                instanceId,
                hour = hour.ToUnixTimeMilliseconds(),
                epoch = (long)epoch,
                counts.Collected,
                counts.Stored,
                counts.Rejected,
                counts.LostFull,
                counts.LostDamaged,
            },
            transaction);

    /// <summary>By instance and hour.</summary>
    /// <param name="instanceId">Null: of all.</param>
    public IReadOnlyList<PointAccount> Of(string? instanceId, DateTimeOffset from, DateTimeOffset to) =>
        [.. connection.Query<(string InstanceId, long Hour, long Collected, long Stored, long Rejected, long LostFull, long LostDamaged)>(
            """
            SELECT instance_id, hour, SUM(collected), SUM(stored), SUM(rejected), SUM(lost_full), SUM(lost_damaged)
              FROM point_accounts
             WHERE (@instanceId IS NULL OR instance_id = @instanceId) AND hour >= @from AND hour < @to
             GROUP BY instance_id, hour
             ORDER BY instance_id, hour
            """,
            new { instanceId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() }, transaction)
            .Select(row => new PointAccount(
                row.InstanceId,
                DateTimeOffset.FromUnixTimeMilliseconds(row.Hour),
                new PointCounts(row.Collected, row.Stored, row.Rejected, row.LostFull, row.LostDamaged)))];

    /// <returns>How many rows went.</returns>
    public int DeleteBefore(DateTimeOffset time, int most) =>
        connection.Execute(
            "DELETE FROM point_accounts WHERE rowid IN (SELECT rowid FROM point_accounts WHERE hour < @before LIMIT @most)",
            new { before = time.ToUnixTimeMilliseconds(), most }, transaction);
}
