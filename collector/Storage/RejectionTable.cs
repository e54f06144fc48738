using System.Data.Common;
using Dapper;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Storage;

/// <summary>Why metric points were rejected, by instance and hour.</summary>
internal sealed class RejectionTable(DbConnection connection, DbTransaction transaction)
{
    /// <param name="hour">When it began.</param>
    public void Count(string instanceId, DateTimeOffset hour, RejectionReason reason, long points) =>
        connection.Execute(
            """
            INSERT INTO rejections (instance_id, hour, reason, points) VALUES (@instanceId, @hour, @reason, @points)
            ON CONFLICT (instance_id, hour, reason) DO UPDATE SET points = points + excluded.points
            """,
            new { instanceId, hour = hour.ToUnixTimeMilliseconds(), reason = (long)reason, points }, transaction);

    public ILookup<(string InstanceId, DateTimeOffset Hour), (RejectionReason Reason, long Points)> Of(string? instanceId, DateTimeOffset from, DateTimeOffset to) =>
        connection.Query<(string InstanceId, long Hour, long Reason, long Points)>(
            """
            SELECT instance_id, hour, reason, points
              FROM rejections
             WHERE (@instanceId IS NULL OR instance_id = @instanceId) AND hour >= @from AND hour < @to
             ORDER BY reason
            """,
            new { instanceId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() }, transaction)
            .ToLookup(row => (row.InstanceId, DateTimeOffset.FromUnixTimeMilliseconds(row.Hour)), row => ((RejectionReason)row.Reason, row.Points));

    /// <returns>How many rows went.</returns>
    public int DeleteBefore(DateTimeOffset time, int most) =>
        connection.Execute(
            "DELETE FROM rejections WHERE rowid IN (SELECT rowid FROM rejections WHERE hour < @before LIMIT @most)",
            new { before = time.ToUnixTimeMilliseconds(), most }, transaction);
}
