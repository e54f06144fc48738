using System.Data.Common;
using Dapper;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Storage;

/// <summary>Why metric points were rejected, by instance and hour; and the newest lines that the server refused.</summary>
internal sealed class RejectionTable(DbConnection connection, DbTransaction transaction)
{
    private const int MaxLines = 1_000;

    /// <summary>Of a line, and of what the server said of it.</summary>
    private const int MaxLength = 1_024;

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

    /// <summary>Sets a line aside, with the server's words.</summary>
    public void Keep(string? instanceId, DateTimeOffset at, ReadOnlySpan<byte> line, string words) =>
        connection.Execute(
            """
            INSERT INTO refused_lines (instance_id, at, line, words) VALUES (@instanceId, @at, @line, @words);
            DELETE FROM refused_lines WHERE id <= (SELECT MAX(id) FROM refused_lines) - @MaxLines;
            """,
            new
            {
                instanceId,
                at = at.ToUnixTimeMilliseconds(),
                line = line[..Math.Min(line.Length, MaxLength)].ToArray(),
                words = words[..Math.Min(words.Length, MaxLength)],
                MaxLines,
            },
            transaction);

    /// <summary>The newest first.</summary>
    public IReadOnlyList<(string? InstanceId, byte[] Line, string Words)> Kept(int most) =>
        [.. connection.Query<(string?, byte[], string)>("SELECT instance_id, line, words FROM refused_lines ORDER BY id DESC LIMIT @most", new { most }, transaction)];

    /// <returns>How many rows went.</returns>
    public int DeleteBefore(DateTimeOffset time, int most) =>
        connection.Execute(
            "DELETE FROM rejections WHERE rowid IN (SELECT rowid FROM rejections WHERE hour < @before LIMIT @most)",
            new { before = time.ToUnixTimeMilliseconds(), most }, transaction);
}
