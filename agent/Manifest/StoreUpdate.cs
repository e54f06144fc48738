using Microsoft.Data.Sqlite;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>
/// One scan into the state store: a single transaction in which the new nodes are merged with the stored ones, level by level.
/// Without <see cref="Commit"/> nothing happened.
/// </summary>
internal sealed class StoreUpdate : IManifestTarget, IDisposable
{
    private readonly StateDatabase _database;
    private readonly SqliteTransaction _transaction;
    private readonly NodeRows _rows;
    private readonly Dictionary<(EntryKind Kind, int Level), LevelMerge> _levels = [];

    // Scanners and the merge read at the same time, and a connection is for one thread.
    private readonly SqliteConnection _nodesReader;
    private readonly List<StoredEntries> _entries = [];

    public StoreUpdate(StateDatabase database, long generation)
    {
        _database = database;
        _nodesReader = database.OpenReader();
        _transaction = database.Writer.BeginTransaction();
        _rows = new NodeRows(database.Writer, _transaction, generation);

        // Both must go on seeing what was there before this update.
        foreach (var (kind, level) in StoredLevels())
            _levels[(kind, level)] = new LevelMerge(_nodesReader, _rows, kind, level);
    }

    public IPreviousEntries Previous(EntryKind kind)
    {
        var entries = new StoredEntries(_database.OpenReader(), kind);
        _entries.Add(entries);
        return entries;
    }

    public void Add(EntryKind kind, EncodedNode node, ReadOnlySpan<byte> stamps)
    {
        if (!_levels.TryGetValue((kind, node.Level), out var level))
            level = _levels[(kind, node.Level)] = new LevelMerge(_nodesReader, _rows, kind, node.Level);
        level.Add(kind, node, stamps);
    }

    /// <param name="needed">Replaced nodes of this generation and later are kept; null: none.</param>
    public void Commit(HeadLedger ledger, long? needed)
    {
        foreach (var level in _levels.Values)
            level.DeleteRest();

        _rows.Forget(needed);
        _database.WriteLedger(ledger);
        _transaction.Commit();
    }

    public void Dispose()
    {
        foreach (var level in _levels.Values)
            level.Dispose();
        _entries.ForEach(entries => entries.Dispose());
        _rows.Dispose();
        _transaction.Dispose();
        _nodesReader.Dispose();
    }

    private List<(EntryKind Kind, int Level)> StoredLevels()
    {
        using var command = _nodesReader.CreateCommand();
        command.CommandText = "SELECT DISTINCT kind, level FROM nodes";
        using var rows = command.ExecuteReader();
        var levels = new List<(EntryKind, int)>();
        while (rows.Read())
            levels.Add(((EntryKind)rows.GetInt64(0), rows.GetInt32(1)));
        return levels;
    }
}
