using System.Data.Common;
using Dapper;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Whose points they are, and which account has them.</summary>
internal sealed record PointOwner(string InstanceId, DateTimeOffset Hour, ulong Epoch);

/// <summary>The queue of points on their way to the time-series server.</summary>
internal sealed class PointTable(DbConnection connection, DbTransaction transaction)
{
    /// <param name="owner">Null: the collector's own points.</param>
    public void Add(byte[] lines, int lineCount, PointOwner? owner = null) =>
        connection.Execute(
            "INSERT INTO point_batches (lines, line_count, instance_id, hour, epoch) VALUES (@lines, @lineCount, @InstanceId, @Hour, @Epoch)",
            new { lines, lineCount, owner?.InstanceId, Hour = owner?.Hour.ToUnixTimeMilliseconds(), Epoch = (long?)owner?.Epoch }, transaction);

    /// <summary>The oldest batches, together about as many lines and bytes as asked for; at least one.</summary>
    /// <param name="after">Only those behind this one.</param>
    public IReadOnlyList<StoredPoints> Oldest(int lineLimit, long byteLimit, long after = 0)
    {
        var batches = new List<StoredPoints>();
        var (lines, bytes) = (0L, 0L);
        foreach (var row in connection.Query<Row>(
            """
            SELECT id AS Id, lines AS Lines, line_count AS LineCount, instance_id AS InstanceId, hour AS Hour, epoch AS Epoch
              FROM point_batches
             WHERE id > @after
             ORDER BY id
             LIMIT @lineLimit
            """,
            new { lineLimit, after }, transaction, buffered: false))
        {
            bytes += row.Lines.Length;
            if (batches.Count > 0 && bytes > byteLimit)
                break;
            batches.Add(row.ToPoints());
            lines += row.LineCount;
            if (lines >= lineLimit)
                break;
        }

        return batches;
    }

    /// <summary>Which batches come next, together about as many lines and bytes as asked for; at least one, if there is any. Null: there is none.</summary>
    /// <param name="after">Only those behind this one.</param>
    /// <returns>The first and the last, and whether they are as many as asked for.</returns>
    public (long First, long Last, bool IsFull)? Next(int lineLimit, long byteLimit, long after)
    {
        (long First, long Last)? next = null;
        var (lines, bytes) = (0L, 0L);
        foreach (var (id, count, length) in connection.Query<(long, long, long)>(
            "SELECT id, line_count, LENGTH(lines) FROM point_batches WHERE id > @after ORDER BY id LIMIT @lineLimit",
            new { lineLimit, after }, transaction, buffered: false))
        {
            (lines, bytes) = (lines + count, bytes + length);
            if (next is not null && (lines > lineLimit || bytes > byteLimit))
                return (next.Value.First, next.Value.Last, true);
            next = (next?.First ?? id, id);
        }

        return next is { } some ? (some.First, some.Last, lines >= lineLimit || bytes >= byteLimit) : null;
    }

    public IReadOnlyList<StoredPoints> Between(long first, long last) =>
        [.. connection.Query<Row>(
            """
            SELECT id AS Id, lines AS Lines, line_count AS LineCount, instance_id AS InstanceId, hour AS Hour, epoch AS Epoch
              FROM point_batches
             WHERE id BETWEEN @first AND @last
             ORDER BY id
            """,
            new { first, last }, transaction)
            .Select(row => row.ToPoints())];

    public void Delete(long first, long last) =>
        connection.Execute("DELETE FROM point_batches WHERE id BETWEEN @first AND @last", new { first, last }, transaction);

    /// <summary>Lines that wait, and their bytes.</summary>
    public (long Lines, long Bytes) Waiting() =>
        connection.QuerySingle<(long, long)>("SELECT COALESCE(SUM(line_count), 0), COALESCE(SUM(LENGTH(lines)), 0) FROM point_batches", transaction: transaction);

    /// <summary>Lines of instances that wait, by instance and hour.</summary>
    /// <param name="instanceId">Null: of all.</param>
    public IReadOnlyDictionary<(string InstanceId, DateTimeOffset Hour), long> Waiting(string? instanceId, DateTimeOffset from, DateTimeOffset to) =>
        connection.Query<(string InstanceId, long Hour, long Lines)>(
                """
                SELECT instance_id, hour, SUM(line_count)
                  FROM point_batches
                 WHERE instance_id IS NOT NULL AND (@instanceId IS NULL OR instance_id = @instanceId) AND hour >= @from AND hour < @to
                 GROUP BY instance_id, hour
                """,
                new { instanceId, from = from.ToUnixTimeMilliseconds(), to = to.ToUnixTimeMilliseconds() }, transaction)
            .ToDictionary(row => (row.InstanceId, DateTimeOffset.FromUnixTimeMilliseconds(row.Hour)), row => row.Lines);

    public HeadPosition Watermark(string instanceId)
    {
        var (epoch, sequence) = connection.QuerySingleOrDefault<(long, long)>(
            "SELECT epoch, sequence FROM health_watermarks WHERE instance_id = @instanceId", new { instanceId }, transaction);
        return new HeadPosition((ulong)epoch, (ulong)sequence);
    }

    /// <summary>Never goes back.</summary>
    public void SetWatermark(string instanceId, HeadPosition position) =>
        connection.Execute(
            """
            INSERT INTO health_watermarks (instance_id, epoch, sequence) VALUES (@instanceId, @Epoch, @Sequence)
            ON CONFLICT (instance_id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence
             WHERE (excluded.epoch, excluded.sequence) > (epoch, sequence)
            """,
            new { instanceId, Epoch = (long)position.Epoch, Sequence = (long)position.Sequence }, transaction);

    private sealed record Row(long Id, byte[] Lines, long LineCount, string? InstanceId, long? Hour, long? Epoch)
    {
        public StoredPoints ToPoints() => new(
            Id,
            Lines,
            LineCount,
            InstanceId is { } id && Hour is { } hour && Epoch is { } epoch ? new PointOwner(id, DateTimeOffset.FromUnixTimeMilliseconds(hour), (ulong)epoch) : null);
    }
}

/// <summary>A batch of lines of the line protocol.</summary>
/// <param name="Owner">Null: the collector's own points.</param>
internal sealed record StoredPoints(long Id, ReadOnlyMemory<byte> Lines, long LineCount, PointOwner? Owner);
