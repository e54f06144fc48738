using System.Data.Common;
using Dapper;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Storage;

/// <summary>What became of the metric points of each instance and hour, as both ends count.</summary>
internal sealed class PointAccountTable(DbConnection connection, DbTransaction transaction)
{
    /// <summary>More no agent loses in an hour: what it tells of its losses is its own, and whatever it tells can be added up.</summary>
    private const long MostLost = 1L << 32;

    /// <param name="hour">When it began.</param>
    public void Count(string instanceId, DateTimeOffset hour, ulong epoch, PointCounts counts) =>
        connection.Execute(
            """
            INSERT INTO point_accounts ( instance_id,  hour,  epoch,  collected,  stored,  rejected,  lost_full,  lost_damaged,  dropped)
                                VALUES (@instanceId, @hour, @epoch, @Collected, @Stored, @Rejected, @LostFull,   @LostDamaged, @Dropped)
            ON CONFLICT (instance_id, hour, epoch) DO UPDATE
               SET collected    = MAX(collected, excluded.collected),
                   stored       = stored       + excluded.stored,
                   rejected     = rejected     + excluded.rejected,
                   lost_full    = lost_full    + excluded.lost_full,
                   lost_damaged = lost_damaged + excluded.lost_damaged,
                   dropped      = dropped      + excluded.dropped
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
                counts.Dropped,
            },
            transaction);

    /// <summary>The server refused points that were taken for stored.</summary>
    public void Refuse(PointOwner owner, RejectionReason reason, long points)
    {
        connection.Execute(
            """
            UPDATE point_accounts
               SET stored = stored - @points, rejected = rejected + @points
             WHERE instance_id = @InstanceId AND hour = @hour AND epoch = @epoch
            """,
            new { points, owner.InstanceId, hour = owner.Hour.ToUnixTimeMilliseconds(), epoch = (long)owner.Epoch }, transaction);
        new RejectionTable(connection, transaction).Count(owner.InstanceId, owner.Hour, reason, points);
    }

    /// <summary>By instance and hour.</summary>
    /// <param name="instanceId">Null: of all.</param>
    public IReadOnlyList<PointAccount> Of(string? instanceId, DateTimeOffset from, DateTimeOffset to)
    {
        var rejections = new RejectionTable(connection, transaction).Of(instanceId, from, to);
        var queued = new PointTable(connection, transaction).Waiting(instanceId, from, to);
        var gaps = new LaneGapTable(connection, transaction).Hourly(instanceId, from, to).ToDictionary(gap => (gap.InstanceId, gap.Hour), gap => gap.Count);
        var accounts = connection.Query<Row>(
            """
            SELECT instance_id       AS InstanceId,
                   hour              AS Hour,
                   hour = (SELECT MAX(hour) FROM point_accounts newest WHERE newest.instance_id = account.instance_id) AS IsNewest,
                   SUM(collected)    AS Collected,
                   SUM(stored)       AS Stored,
                   SUM(rejected)     AS Rejected,
                   SUM(MIN(lost_full,    @MostLost)) AS LostFull,
                   SUM(MIN(lost_damaged, @MostLost)) AS LostDamaged,
                   SUM(MIN(dropped,      @MostLost)) AS Dropped
              FROM point_accounts account
             WHERE (@instanceId IS NULL OR instance_id = @instanceId) AND hour >= @from AND hour < @to
             GROUP BY instance_id, hour
            """,
            new { instanceId, MostLost, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() }, transaction)
            .Select(row => row.ToAccount())
            .ToList();

        // That something is missing may be noticed in an hour of which no points came.
        foreach (var (id, hour) in gaps.Keys.Except(accounts.Select(account => (account.InstanceId, account.Hour))))
            accounts.Add(new PointAccount(id, hour, default));
        return
        [
            .. accounts
                .Select(account => account with
                {
                    Queued = queued.GetValueOrDefault((account.InstanceId, account.Hour)),
                    Rejections = [.. rejections[(account.InstanceId, account.Hour)]],
                    MissingBatches = gaps.GetValueOrDefault((account.InstanceId, account.Hour)),
                })
                .OrderBy(account => account.InstanceId, StringComparer.Ordinal)
                .ThenBy(account => account.Hour),
        ];
    }

    /// <returns>How many rows went.</returns>
    public int DeleteBefore(DateTimeOffset time, int most) =>
        connection.Execute(
            "DELETE FROM point_accounts WHERE rowid IN (SELECT rowid FROM point_accounts WHERE hour < @before LIMIT @most)",
            new { before = time.ToUnixTimeMilliseconds(), most }, transaction);

    private sealed record Row
    {
        public required string InstanceId { get; init; }

        public long Hour { get; init; }

        public bool IsNewest { get; init; }

        public long Collected { get; init; }

        public long Stored { get; init; }

        public long Rejected { get; init; }

        public long LostFull { get; init; }

        public long LostDamaged { get; init; }

        public long Dropped { get; init; }

        public PointAccount ToAccount() =>
            new(InstanceId, DateTimeOffset.FromUnixTimeMilliseconds(Hour), new PointCounts(Collected, Stored, Rejected, LostFull, LostDamaged, Dropped).Settle())
            {
                IsNewest = IsNewest,
            };
    }
}
