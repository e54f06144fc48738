using Microsoft.Data.Sqlite;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>The stored entries of one kind, read leaf by leaf in key order, through a connection of its own.</summary>
internal sealed class StoredEntries : IPreviousEntries, IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _command;
    private SqliteDataReader _leaves;
    private TreeNode _leaf = TreeNode.Decode(EncodedNode.Empty.Bytes);
    private byte[] _stamps = [];
    private int _index = -1;
    private bool _isAtEnd;

    /// <param name="connection">Is disposed of with this.</param>
    public StoredEntries(SqliteConnection connection, EntryKind kind)
    {
        _connection = connection;
        _command = connection.CreateCommand();
        _command.CommandText = """
            SELECT stamps, body FROM nodes
            WHERE  kind = $kind AND level = 0
              AND  first_key >= coalesce((SELECT max(first_key) FROM nodes WHERE kind = $kind AND level = 0 AND first_key <= $from), x'')
            ORDER  BY first_key
            """;
        _command.Parameters.AddWithValue("$kind", (int)kind);
        _command.Parameters.AddWithValue("$from", Array.Empty<byte>());
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
            if (!NextLeaf())
                return false;
        }

        return true;
    }

    public bool MoveTo(ReadOnlySpan<byte> key)
    {
        // A look at everything goes on to the next leaf; one at some parts leaves out many.
        if (IsBehindLeaf(key) && NextLeaf() && IsBehindLeaf(key))
            Seek(key);
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

    private bool IsBehindLeaf(ReadOnlySpan<byte> key) => _leaf.Count == 0 || _leaf.Key(_leaf.Count - 1).SequenceCompareTo(key) < 0;

    private void Seek(ReadOnlySpan<byte> key)
    {
        _leaves.Dispose();
        _command.Parameters[1].Value = key.ToArray();
        _leaves = _command.ExecuteReader();
        NextLeaf();
    }

    private bool NextLeaf()
    {
        if (_isAtEnd || !_leaves.Read())
        {
            _isAtEnd = true;
            _index = _leaf.Count;
            return false;
        }

        _stamps = _leaves.GetFieldValue<byte[]>(0);
        _leaf = TreeNode.Decode(_leaves.GetFieldValue<byte[]>(1));
        _index = 0;
        return _stamps.Length == _leaf.Count * FileStamp.Length ? true : throw new DamagedStateException();
    }
}
