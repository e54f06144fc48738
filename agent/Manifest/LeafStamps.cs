using Microsoft.Data.Sqlite;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>Sets stamps of single entries, in rising key order. What is disposed of is written.</summary>
internal sealed class LeafStamps : IDisposable
{
    private readonly NodeRows _rows;
    private readonly SqliteCommand _find;
    private TreeNode? _leaf;
    private long _id;
    private byte[] _stamps = [];

    /// <param name="writer">Inside the transaction.</param>
    public LeafStamps(SqliteConnection writer, SqliteTransaction transaction, NodeRows rows, EntryKind kind)
    {
        _rows = rows;
        _find = writer.CreateCommand();
        _find.Transaction = transaction;
        _find.CommandText = """
            SELECT id, body, stamps FROM nodes
            WHERE  kind = $kind AND level = 0 AND first_key <= $key
            ORDER  BY first_key DESC
            LIMIT  1
            """;
        _find.Parameters.AddWithValue("$kind", (int)kind);
        _find.Parameters.Add("$key", SqliteType.Blob);
    }

    /// <param name="key">Is in the tree.</param>
    public void Set(byte[] key, FileStamp stamp)
    {
        var index = _leaf?.Search(key) ?? -1;
        if (index < 0)
        {
            Write();
            index = Find(key).Search(key);
        }

        stamp.Write(_stamps.AsSpan(index * FileStamp.Length));
    }

    public void Dispose()
    {
        Write();
        _find.Dispose();
    }

    private TreeNode Find(byte[] key)
    {
        _find.Parameters[1].Value = key;
        using var row = _find.ExecuteReader();
        if (!row.Read())
            throw new DamagedStateException();
        _id = row.GetInt64(0);
        _stamps = row.GetFieldValue<byte[]>(2);
        return _leaf = TreeNode.Decode(row.GetFieldValue<byte[]>(1));
    }

    private void Write()
    {
        if (_leaf is not null)
            _rows.SetStamps(_id, _stamps);
        _leaf = null;
    }
}
