using System.Data.Common;
using Dapper;
using Telemetry.Collector.Compare;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Since when entries could not be read in one state, by the collector's clock.</summary>
internal sealed class UnreadTable(DbConnection connection, DbTransaction transaction)
{
    public IReadOnlyList<UnreadEntry> Of(string instanceId) =>
        [.. connection.Query<Row>(
                "SELECT kind AS Kind, key AS Key, since AS Since FROM unread_entries WHERE instance_id = @instanceId ORDER BY kind, key",
                new { instanceId }, transaction)
            .Select(row => row.ToEntry())];

    /// <summary>Writes what differs between what is stored and what shall be.</summary>
    /// <param name="before">As <see cref="Of"/> gave it.</param>
    public void Replace(string instanceId, IReadOnlyList<UnreadEntry> before, IReadOnlyList<UnreadEntry> after)
    {
        connection.Execute(
            "DELETE FROM unread_entries WHERE instance_id = @InstanceId AND kind = @Kind AND key = @Key",
            before.Except(after).Select(entry => Parameters(instanceId, entry)), transaction);
        connection.Execute(
            "INSERT INTO unread_entries (instance_id, kind, key, since) VALUES (@InstanceId, @Kind, @Key, @Since)",
            after.Except(before).Select(entry => Parameters(instanceId, entry)), transaction);
    }

    /// <summary>Instances with entries that could not be read since a time in this interval.</summary>
    public IReadOnlyList<string> InstancesSince(DateTimeOffset after, DateTimeOffset upTo) =>
        [.. connection.Query<string>(
            "SELECT DISTINCT instance_id FROM unread_entries WHERE since > @after AND since <= @upTo ORDER BY instance_id",
            new { after = after.ToUnixTimeMilliseconds(), upTo = upTo.ToUnixTimeMilliseconds() }, transaction)];

    /// <summary>What could not be read since a time that is still to come, for the clock was set back, could not since now.</summary>
    public void NoneAfter(DateTimeOffset now) =>
        connection.Execute("UPDATE unread_entries SET since = @now WHERE since > @now", new { now = now.ToUnixTimeMilliseconds() }, transaction);

    private static object Parameters(string instanceId, UnreadEntry entry) => new
    {
        InstanceId = instanceId,
        Kind = (long)entry.Kind,
        Key = entry.Key.Bytes.ToArray(),
        Since = entry.Since.ToUnixTimeMilliseconds(),
    };

    private sealed record Row(long Kind, byte[] Key, long Since)
    {
        public UnreadEntry ToEntry() => new((EntryKind)Kind, new EntryKey(Key), DateTimeOffset.FromUnixTimeMilliseconds(Since));
    }
}
