using Microsoft.Data.Sqlite;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>The prepared commands of one update. What is replaced or deleted is kept in <c>retained</c>.</summary>
internal sealed class NodeRows : IDisposable
{
    private readonly long _generation;
    private readonly SqliteCommand _insert, _replace, _setStamps, _delete, _retain, _find, _findAbove, _forget;

    /// <param name="writer">Inside the transaction.</param>
    /// <param name="generation">Of the head that is current while the update runs.</param>
    public NodeRows(SqliteConnection writer, SqliteTransaction transaction, long generation)
    {
        _generation = generation;
        _insert = Command(
            writer,
            transaction,
            """
            INSERT INTO nodes (kind, level, first_key, digest, generation, stamps, body)
            VALUES ($kind, $level, $first_key, $digest, $generation, $stamps, $body)
            """,
            "$kind", "$level", "$first_key", "$digest", "$generation", "$stamps", "$body");
        _replace = Command(
            writer,
            transaction,
            "UPDATE nodes SET digest = $digest, generation = $generation, stamps = $stamps, body = $body WHERE id = $id",
            "$digest", "$generation", "$stamps", "$body", "$id");
        _setStamps = Command(writer, transaction, "UPDATE nodes SET stamps = $stamps WHERE id = $id", "$stamps", "$id");
        _delete = Command(writer, transaction, "DELETE FROM nodes WHERE id = $id", "$id");
        _retain = Command(
            writer,
            transaction,
            "INSERT OR REPLACE INTO retained (digest, generation, body) SELECT digest, $generation, body FROM nodes WHERE id = $id",
            "$generation", "$id");
        _find = Command(
            writer,
            transaction,
            "SELECT id FROM nodes WHERE kind = $kind AND level = $level AND first_key = $first_key",
            "$kind", "$level", "$first_key");
        _findAbove = Command(writer, transaction, "SELECT id FROM nodes WHERE kind = $kind AND level > $level", "$kind", "$level");
        _forget = Command(writer, transaction, "DELETE FROM retained WHERE generation < $needed", "$needed");
    }

    /// <summary>Where a node stands; null where none does.</summary>
    public long? Find(EntryKind kind, int level, byte[] firstKey)
    {
        Bind(_find, (int)kind, level, firstKey);
        return (long?)_find.ExecuteScalar();
    }

    public void Insert(EntryKind kind, EncodedNode node, ReadOnlySpan<byte> stamps) =>
        Run(_insert, (int)kind, node.Level, node.FirstKey, node.Digest.ToArray(), _generation + 1, stamps.ToArray(), node.Bytes);

    public void Replace(long id, EncodedNode node, ReadOnlySpan<byte> stamps)
    {
        Run(_retain, _generation, id);
        Run(_replace, node.Digest.ToArray(), _generation + 1, stamps.ToArray(), node.Bytes, id);
    }

    public void SetStamps(long id, ReadOnlySpan<byte> stamps) => Run(_setStamps, stamps.ToArray(), id);

    public void Delete(long id)
    {
        Run(_retain, _generation, id);
        Run(_delete, id);
    }

    /// <summary>Deletes all nodes above a level.</summary>
    public void DeleteAbove(EntryKind kind, int level)
    {
        Bind(_findAbove, (int)kind, level);
        var ids = new List<long>();
        using (var rows = _findAbove.ExecuteReader())
        {
            while (rows.Read())
                ids.Add(rows.GetInt64(0));
        }

        ids.ForEach(Delete);
    }

    /// <summary>Drops what was kept of replaced nodes.</summary>
    /// <param name="needed">Those of this generation and later stay; null: none.</param>
    public void Forget(long? needed) => Run(_forget, needed ?? long.MaxValue);

    public void Dispose()
    {
        foreach (var command in (ReadOnlySpan<SqliteCommand>)[_insert, _replace, _setStamps, _delete, _retain, _find, _findAbove, _forget])
            command.Dispose();
    }

    private static SqliteCommand Command(SqliteConnection writer, SqliteTransaction transaction, string sql, params ReadOnlySpan<string> parameters)
    {
        var command = writer.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        foreach (var name in parameters)
            command.Parameters.Add(new SqliteParameter(name, null));
        return command;
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        Bind(command, values);
        command.ExecuteNonQuery();
    }

    private static void Bind(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
    }
}
