using System.Data.Common;
using Dapper;
using Telemetry.Collector.Alerts;

namespace Telemetry.Collector.Storage;

/// <summary>What the collector has to tell of itself, and how far each alert route has told it.</summary>
internal sealed class NoticeTable(DbConnection connection, DbTransaction transaction)
{
    private const int MaxKept = 1_000;

    private const string Columns = "id AS Id, at AS At, subject AS Subject, is_open AS IsOpen, words AS Words";

    public void Add(DateTimeOffset at, string subject, bool isOpen, string words) =>
        connection.Execute(
            """
            INSERT INTO notices (at, subject, is_open, words) VALUES (@at, @subject, @isOpen, @words);
            DELETE FROM notices WHERE id <= (SELECT MAX(id) FROM notices) - @MaxKept;
            """,
            new { at = at.ToUnixTimeMilliseconds(), subject, isOpen = isOpen ? 1 : 0, words, MaxKept }, transaction);

    /// <summary>The last about a subject; null: there is none.</summary>
    public Notice? Last(string subject) =>
        connection.QuerySingleOrDefault<Row>($"SELECT {Columns} FROM notices WHERE subject = @subject ORDER BY id DESC LIMIT 1", new { subject }, transaction)?.ToNotice();

    /// <summary>The one after that, in order; null: there is none yet.</summary>
    public Notice? After(long id) =>
        connection.QuerySingleOrDefault<Row>($"SELECT {Columns} FROM notices WHERE id > @id ORDER BY id LIMIT 1", new { id }, transaction)?.ToNotice();

    public long LastId() => connection.QuerySingle<long>("SELECT COALESCE(MAX(id), 0) FROM notices", transaction: transaction);

    /// <summary>How far a route has told them; null when it is new.</summary>
    public long? DeliveredBy(string route) =>
        connection.QuerySingleOrDefault<long?>("SELECT last_notice FROM notice_deliveries WHERE route = @route", new { route }, transaction);

    public void SetDelivered(string route, long id) =>
        connection.Execute(
            """
            INSERT INTO notice_deliveries (route, last_notice) VALUES (@route, @id)
            ON CONFLICT (route) DO UPDATE SET last_notice = excluded.last_notice
            """,
            new { route, id }, transaction);

    private sealed record Row(long Id, long At, string Subject, long IsOpen, string Words)
    {
        public Notice ToNotice() => new(Id, DateTimeOffset.FromUnixTimeMilliseconds(At), Subject, IsOpen != 0, Words);
    }
}
