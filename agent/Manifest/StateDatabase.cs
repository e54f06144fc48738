using Microsoft.Data.Sqlite;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>The open state database: one connection that writes, one that serves single nodes, and more for a scan's cursors.</summary>
internal sealed class StateDatabase : IDisposable
{
    public const string FileName = "state.db";

    private const long Version = 1;

    private const long LongLog = 4 << 20;

    private const string Schema = """
        CREATE TABLE nodes (
            id         INTEGER PRIMARY KEY,
            kind       INTEGER NOT NULL,
            level      INTEGER NOT NULL,
            first_key  BLOB    NOT NULL,
            digest     BLOB    NOT NULL,
            generation INTEGER NOT NULL,  -- of the head it came with
            stamps     BLOB    NOT NULL,  -- of a leaf's entries, 40 bytes each
            body       BLOB    NOT NULL,
            UNIQUE (kind, level, first_key)
        );
        CREATE INDEX nodes_by_digest ON nodes (digest);
        CREATE INDEX nodes_by_generation ON nodes (generation);

        -- Replaced nodes that an announced head still needs.
        CREATE TABLE retained (
            digest     BLOB    PRIMARY KEY,
            generation INTEGER NOT NULL,  -- last head that has it
            body       BLOB    NOT NULL
        );

        CREATE TABLE ledger (
            id                      INTEGER PRIMARY KEY CHECK (id = 1),
            epoch                   INTEGER NOT NULL,
            sequence                INTEGER NOT NULL,  -- 0: no head yet
            generation              INTEGER NOT NULL,
            roots                   BLOB,
            coverage                BLOB,
            observed_at             INTEGER,           -- times are in UTC ticks
            observed_after          INTEGER,
            look_started_at         INTEGER,
            look_completed_at       INTEGER,
            acknowledged_epoch      INTEGER,
            acknowledged_sequence   INTEGER,
            acknowledged_generation INTEGER,
            after_acknowledged      INTEGER
        );
        """;

    private readonly string _path;
    private readonly SqliteConnection _reader;
    private readonly SqliteCommand _findNode;

    private StateDatabase(string path)
    {
        _path = path;
        Writer = Connect(SqliteOpenMode.ReadWriteCreate);
        try
        {
            Prepare();
            _reader = Connect(SqliteOpenMode.ReadWrite);
        }
        catch
        {
            Writer.Dispose();
            throw;
        }

        _findNode = _reader.CreateCommand();
        _findNode.CommandText = """
            SELECT body FROM nodes    WHERE digest = $digest
            UNION ALL
            SELECT body FROM retained WHERE digest = $digest
            LIMIT 1
            """;
        _findNode.Parameters.Add("$digest", SqliteType.Blob);
    }

    public SqliteConnection Writer { get; }

    /// <exception cref="SqliteException">The directory can't be written to, the disk is full, or the database is damaged.</exception>
    public static StateDatabase Open(string directory) => new(Path.Combine(directory, FileName));

    /// <summary>A damaged database is of no use, and a log without its database does harm.</summary>
    public static void Delete(string directory)
    {
        foreach (var suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
            File.Delete(Path.Combine(directory, FileName + suffix));
    }

    public SqliteConnection OpenReader() => Connect(SqliteOpenMode.ReadWrite);

    /// <exception cref="DamagedStateException">The stored bytes are not those of this digest.</exception>
    public byte[]? ReadNode(Digest digest)
    {
        lock (_findNode)
        {
            _findNode.Parameters[0].Value = digest.ToArray();
            var body = (byte[]?)_findNode.ExecuteScalar();
            return body is null || TreeNode.DigestOf(body) == digest ? body : throw new DamagedStateException();
        }
    }

    /// <summary>Nodes of the current trees that came after a generation, children before parents.</summary>
    /// <returns>Null when they are more than <paramref name="maxBytes"/>.</returns>
    public IReadOnlyList<byte[]>? NodesSince(long generation, int maxBytes)
    {
        using var reader = OpenReader();
        using var command = reader.CreateCommand();
        command.CommandText = "SELECT body FROM nodes WHERE generation > $generation ORDER BY level";
        command.Parameters.AddWithValue("$generation", generation);
        using var rows = command.ExecuteReader();
        var nodes = new List<byte[]>();
        var bytes = 0;
        while (rows.Read())
        {
            nodes.Add(rows.GetFieldValue<byte[]>(0));
            bytes += nodes[^1].Length;
            if (bytes > maxBytes)
                return null;
        }

        return nodes;
    }

    public StoredLeaf? NextLeaf(EntryKind kind, byte[]? after)
    {
        lock (_findNode)
        {
            using var command = _reader.CreateCommand();
            command.CommandText = """
                SELECT first_key, body, stamps FROM nodes
                WHERE  kind = $kind AND level = 0 AND ($after IS NULL OR first_key > $after)
                ORDER  BY first_key
                LIMIT  1
                """;
            Bind(command, "$kind", (int)kind);
            Bind(command, "$after", after);
            using var row = command.ExecuteReader();
            return row.Read()
                ? new StoredLeaf(row.GetFieldValue<byte[]>(0), TreeNode.Decode(row.GetFieldValue<byte[]>(1)), row.GetFieldValue<byte[]>(2))
                : null;
        }
    }

    public long CountLeaves(EntryKind kind)
    {
        lock (_findNode)
        {
            using var command = _reader.CreateCommand();
            command.CommandText = "SELECT count(*) FROM nodes WHERE kind = $kind AND level = 0";
            Bind(command, "$kind", (int)kind);
            return (long)command.ExecuteScalar()!;
        }
    }

    /// <summary>Entries of each kind, by the stamps beside them. On a connection of its own: nobody waits for it.</summary>
    public IReadOnlyDictionary<EntryKind, long> CountEntries()
    {
        using var reader = OpenReader();
        using var command = reader.CreateCommand();
        command.CommandText = "SELECT kind, sum(length(stamps)) / $length FROM nodes WHERE level = 0 GROUP BY kind";
        Bind(command, "$length", FileStamp.Length);
        using var rows = command.ExecuteReader();
        var entries = new Dictionary<EntryKind, long>();
        while (rows.Read())
            entries.Add((EntryKind)rows.GetInt64(0), rows.GetInt64(1));
        return entries;
    }

    public HeadLedger? ReadLedger()
    {
        using var command = Writer.CreateCommand();
        command.CommandText = """
            SELECT epoch, sequence, generation, roots, coverage, observed_at, observed_after, look_started_at, look_completed_at,
                   acknowledged_epoch, acknowledged_sequence, acknowledged_generation, after_acknowledged
            FROM ledger
            """;
        using var row = command.ExecuteReader();
        if (!row.Read())
            return null;

        var position = new HeadPosition((ulong)row.GetInt64(0), (ulong)row.GetInt64(1));
        return new HeadLedger(position.Epoch)
        {
            Head = position.Sequence == 0
                ? null
                : new LocalHead(
                    position,
                    row.GetInt64(2),
                    ReadRoots(row.GetFieldValue<byte[]>(3)),
                    CoverageBytes.Read(row.GetFieldValue<byte[]>(4)),
                    Time(row, 5)!.Value,
                    Time(row, 6)),
            LookStartedAt = Time(row, 7),
            LookCompletedAt = Time(row, 8),
            Acknowledged = row.IsDBNull(9)
                ? null
                : new ToldHead(new HeadPosition((ulong)row.GetInt64(9), (ulong)row.GetInt64(10)), row.GetInt64(11)),
            AfterAcknowledged = Time(row, 12),
        };
    }

    public void WriteLedger(HeadLedger ledger)
    {
        using var command = Writer.CreateCommand();
        command.CommandText = """
            INSERT OR REPLACE INTO ledger VALUES
                (1, $epoch, $sequence, $generation, $roots, $coverage, $observed_at, $observed_after, $look_started_at,
                 $look_completed_at, $acknowledged_epoch, $acknowledged_sequence, $acknowledged_generation, $after_acknowledged)
            """;
        var head = ledger.Head;
        var told = ledger.Acknowledged;
        Bind(command, "$epoch", (long)ledger.Epoch);
        Bind(command, "$sequence", (long)ledger.Position.Sequence);
        Bind(command, "$generation", head?.Generation ?? 0);
        Bind(command, "$roots", head is null ? null : RootsBytes(head.Roots));
        Bind(command, "$coverage", head is null ? null : CoverageBytes.Of(head.Coverage));
        Bind(command, "$observed_at", head?.ObservedAt.UtcTicks);
        Bind(command, "$observed_after", head?.ObservedAfter?.UtcTicks);
        Bind(command, "$look_started_at", ledger.LookStartedAt?.UtcTicks);
        Bind(command, "$look_completed_at", ledger.LookCompletedAt?.UtcTicks);
        Bind(command, "$acknowledged_epoch", (long?)told?.Position.Epoch);
        Bind(command, "$acknowledged_sequence", (long?)told?.Position.Sequence);
        Bind(command, "$acknowledged_generation", told?.Generation);
        Bind(command, "$after_acknowledged", ledger.AfterAcknowledged?.UtcTicks);
        command.ExecuteNonQuery();
    }

    /// <summary>Moves a long log into the database and gives back the pages in memory: nothing waits for that but the next look.</summary>
    public void Checkpoint()
    {
        var log = new FileInfo(_path + "-wal");
        if (!log.Exists || log.Length <= LongLog)
            return;
        Execute(Writer, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory");
        Execute(_reader, "PRAGMA shrink_memory");
    }

    public void Dispose()
    {
        _findNode.Dispose();
        _reader.Dispose();
        Writer.Dispose();
    }

    private void Prepare()
    {
        using var version = Writer.CreateCommand();
        version.CommandText = "PRAGMA user_version";
        switch ((long)version.ExecuteScalar()!)
        {
            case 0:
                Execute(Writer, $"BEGIN IMMEDIATE; {Schema} PRAGMA user_version = {Version}; COMMIT");
                break;
            case Version:
                Execute(Writer, "DELETE FROM retained");
                break;
            default:
                throw new DamagedStateException();
        }
    }

    private SqliteConnection Connect(SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = _path,
            Mode = mode,
            Pooling = false,
        }.ToString());
        connection.Open();

        // A lost power cable may cost the last scans (NORMAL), never the database; they are made again. A commit does not wait for
        // the log to be moved into the database.
        Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024; PRAGMA wal_autocheckpoint = 0");
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static void Bind(SqliteCommand command, string name, object? value) =>
        command.Parameters.AddWithValue(name, value ?? DBNull.Value);

    private static DateTimeOffset? Time(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : new DateTimeOffset(row.GetInt64(column), TimeSpan.Zero);

    private static byte[] RootsBytes(Roots roots) => [.. EntryKinds.All.SelectMany(kind => roots[kind].ToArray())];

    private static Roots ReadRoots(byte[] bytes)
    {
        var roots = Roots.Empty;
        foreach (var kind in EntryKinds.All)
            roots = roots.With(kind, new Digest(bytes.AsSpan(((int)kind - 1) * Digest.Size, Digest.Size)));
        return roots;
    }
}

/// <summary>The state database says something that was never written to it.</summary>
internal sealed class DamagedStateException() : Exception("The state database is damaged.");
