using System.Data.Common;
using Dapper;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>The queue of points on their way to the time-series server.</summary>
internal sealed class PointTable(DbConnection connection, DbTransaction transaction)
{
    public void Add(byte[] lines, int lineCount) =>
        connection.Execute(
            "INSERT INTO point_batches (lines, line_count) VALUES (@lines, @lineCount)", new { lines, lineCount }, transaction);

    /// <summary>The oldest batches, together about as many lines as asked for.</summary>
    public IReadOnlyList<StoredPoints> Oldest(int lineLimit)
    {
        var batches = new List<StoredPoints>();
        var lines = 0L;
        foreach (var batch in connection.Query<StoredPoints>(
            "SELECT id AS Id, lines AS Lines, line_count AS LineCount FROM point_batches ORDER BY id LIMIT @lineLimit",
            new { lineLimit }, transaction, buffered: false))
        {
            batches.Add(batch);
            lines += batch.LineCount;
            if (lines >= lineLimit)
                break;
        }

        return batches;
    }

    public void DeleteUpTo(long id) =>
        connection.Execute("DELETE FROM point_batches WHERE id <= @id", new { id }, transaction);

    public HeadPosition Watermark(string instanceId)
    {
        var (epoch, sequence) = connection.QuerySingleOrDefault<(long, long)>(
            "SELECT epoch, sequence FROM health_watermarks WHERE instance_id = @instanceId", new { instanceId }, transaction);
        return new HeadPosition((ulong)epoch, (ulong)sequence);
    }

    public void SetWatermark(string instanceId, HeadPosition position) =>
        connection.Execute(
            """
            INSERT INTO health_watermarks (instance_id, epoch, sequence) VALUES (@instanceId, @Epoch, @Sequence)
            ON CONFLICT (instance_id) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence
            """,
            new { instanceId, Epoch = (long)position.Epoch, Sequence = (long)position.Sequence }, transaction);
}

/// <summary>A batch of lines of the line protocol.</summary>
internal sealed record StoredPoints(long Id, byte[] Lines, long LineCount);
