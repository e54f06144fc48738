using Microsoft.Data.Sqlite;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>The stored entries of one kind, read leaf by leaf in key order, through a connection of its own.</summary>
internal sealed class StoredEntries : IPreviousEntries, IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _command;
    private readonly SqliteDataReader _leaves;
    private TreeNode _leaf = TreeNode.Decode(EncodedNode.Empty.Bytes);
    private byte[] _stamps = [];
    private int _index = -1;

    /// <param name="connection">Is disposed of with this.</param>
    public StoredEntries(SqliteConnection connection, EntryKind kind)
    {
        _connection = connection;
        _command = connection.CreateCommand();
        _command.CommandText = "SELECT stamps, body FROM nodes WHERE kind = $kind AND level = 0 ORDER BY first_key";
        _command.Parameters.AddWithValue("$kind", (int)kind);
        _leaves = _command.ExecuteReader();
    }

    public ReadOnlySpan<byte> Key => _leaf.Key(_index);

    public ReadOnlySpan<byte> Value => _leaf.Value(_index);

    public FileStamp Stamp => FileStamp.Read(_stamps.AsSpan(_index * FileStamp.Length));

    public bool MoveNext()
    {
        if (_index < _leaf.Count)
            _index++;
        while (_index >= _leaf.Count)
        {
            if (!_leaves.Read())
                return false;
            _stamps = _leaves.GetFieldValue<byte[]>(0);
            _leaf = TreeNode.Decode(_leaves.GetFieldValue<byte[]>(1));
            _index = 0;
            if (_stamps.Length != _leaf.Count * FileStamp.Length)
                throw new DamagedStateException();
        }

        return true;
    }

    public bool MoveTo(ReadOnlySpan<byte> key)
    {
        if (_index < 0 && !MoveNext())
            return false;
        while (_index < _leaf.Count)
        {
            if (Key.SequenceCompareTo(key) >= 0)
                return true;
            if (!MoveNext())
                return false;
        }

        return false;
    }

    public bool TryFind(ReadOnlySpan<byte> key) => MoveTo(key) && Key.SequenceEqual(key);

    public void Dispose()
    {
        _leaves.Dispose();
        _command.Dispose();
        _connection.Dispose();
    }
}
