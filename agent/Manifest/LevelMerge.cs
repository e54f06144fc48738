using Microsoft.Data.Sqlite;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>Merges the new nodes of one level into the stored ones; both come in order of their first key.</summary>
internal sealed class LevelMerge : IDisposable
{
    private readonly NodeRows _rows;
    private readonly SqliteCommand _command;
    private readonly SqliteDataReader _old;
    private bool _hasOld;

    /// <param name="before">A connection that sees the rows as they were when the update began.</param>
    public LevelMerge(SqliteConnection before, NodeRows rows, EntryKind kind, int level)
    {
        _rows = rows;
        _command = before.CreateCommand();
        _command.CommandText =
            "SELECT id, first_key, digest, stamps FROM nodes WHERE kind = $kind AND level = $level ORDER BY first_key";
        _command.Parameters.AddWithValue("$kind", (int)kind);
        _command.Parameters.AddWithValue("$level", level);
        _old = _command.ExecuteReader();
        _hasOld = _old.Read();
    }

    public void Add(EntryKind kind, EncodedNode node, ReadOnlySpan<byte> stamps)
    {
        var order = DeleteBefore(node.FirstKey);
        if (order != 0)
        {
            _rows.Insert(kind, node, stamps);
            return;
        }

        var isSame = new Digest(_old.GetFieldValue<byte[]>(2)) == node.Digest;
        if (!isSame)
            _rows.Replace(_old.GetInt64(0), node, stamps);
        else if (!stamps.SequenceEqual(_old.GetFieldValue<byte[]>(3)))
            _rows.SetStamps(_old.GetInt64(0), stamps);
        _hasOld = _old.Read();
    }

    public void DeleteRest()
    {
        for (; _hasOld; _hasOld = _old.Read())
            _rows.Delete(_old.GetInt64(0));
    }

    public void Dispose()
    {
        _old.Dispose();
        _command.Dispose();
    }

    /// <returns>0 when the row at the position has this key.</returns>
    private int DeleteBefore(byte[] firstKey)
    {
        while (_hasOld)
        {
            var order = _old.GetFieldValue<byte[]>(1).AsSpan().SequenceCompareTo(firstKey);
            if (order >= 0)
                return order;
            _rows.Delete(_old.GetInt64(0));
            _hasOld = _old.Read();
        }

        return 1;
    }
}
