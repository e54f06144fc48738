using System.Data.Common;
using DbUp;
using DbUp.Engine.Output;
using Microsoft.Data.Sqlite;

namespace Telemetry.Collector.Storage;

/// <summary>
/// The embedded state store: one SQLite file in WAL mode, one writer, as many readers as there are. A transaction that
/// returned is on disk. Methods are synchronous, because SQLite is.
/// </summary>
internal sealed class StateStore : IDisposable
{
    private readonly string _connectionString;
    private readonly StoreWriter _writer;
    private readonly NodeCache _cache = new();

    private StateStore(string connectionString, StoreWriter writer)
    {
        _connectionString = connectionString;
        _writer = writer;
    }

    /// <exception cref="StoreException">The file cannot be used; the message says what to do.</exception>
    public static StateStore Open(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, "state.db");
        var connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = true, DefaultTimeout = 30 }.ToString();
        try
        {
            Migrate(path, connectionString);
            var writer = new SqliteConnection(connectionString);
            writer.Open();
            Configure(writer);
            return new StateStore(connectionString, new StoreWriter(writer));
        }
        catch (SqliteException e)
        {
            throw new StoreException($"The store {path} cannot be opened: {e.Message} Restore it from a copy, or move it away to start anew.");
        }
    }

    /// <summary>Runs the work in a transaction, perhaps with others; it is on disk when the task completes, or has left no trace.</summary>
    /// <exception cref="StoreException">The disk failed; nothing was written.</exception>
    public Task<T> WriteAsync<T>(Func<StoreTransaction, T> work) => _writer.RunAsync(work);

    public Task WriteAsync(Action<StoreTransaction> work) =>
        WriteAsync(transaction =>
        {
            work(transaction);
            return 0;
        });

    /// <summary>The same for who is one of few: it waits with its thread.</summary>
    public T Write<T>(Func<StoreTransaction, T> work) => WriteAsync(work).GetAwaiter().GetResult();

    public void Write(Action<StoreTransaction> work) => WriteAsync(work).GetAwaiter().GetResult();

    /// <summary>Runs the work on one consistent state of the store.</summary>
    /// <exception cref="StoreException">The disk failed.</exception>
    public T Read<T>(Func<StoreTransaction, T> work)
    {
        try
        {
            using var connection = new SqliteConnection(_connectionString);
            connection.Open();
            using var transaction = connection.BeginTransaction(deferred: true);
            using var tables = new StoreTransaction(connection, transaction, _cache);
            return work(tables);
        }
        catch (SqliteException e) when (StoreException.IsDiskFailure(e))
        {
            throw new StoreException(e);
        }
    }

    /// <inheritdoc cref="Read{T}"/>
    public void Read(Action<StoreTransaction> work) =>
        Read(transaction =>
        {
            work(transaction);
            return 0;
        });

    public void Dispose()
    {
        _writer.Dispose();
        SqliteConnection.ClearAllPools();
    }

    private static void Configure(SqliteConnection connection)
    {
        // FULL, because an acknowledgement means stored durably.
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000;";
        command.ExecuteNonQuery();
    }

    private static void Migrate(string path, string connectionString)
    {
        var result = DeployChanges.To
            .SqliteDatabase(connectionString)
            .WithScriptsEmbeddedInAssembly(typeof(StateStore).Assembly, name => name.Contains(".Storage.Migrations.", StringComparison.Ordinal))
            .WithTransactionPerScript()
            .LogTo(new NoOpUpgradeLog())
            .Build()
            .PerformUpgrade();
        if (!result.Successful)
            throw new StoreException($"The store {path} cannot be brought up to date: {result.Error.Message} It is unchanged; run the version that wrote it, restore a copy, or move it away to start anew.");
    }
}

/// <summary>The store cannot do its work. Nothing was acknowledged that is not in it.</summary>
internal sealed class StoreException : Exception
{
    // SQLITE_PERM, BUSY, READONLY, IOERR, CORRUPT, FULL, CANTOPEN: the machine's trouble, not a mistake of ours.
    private static readonly int[] DiskFailures = [3, 5, 8, 10, 11, 13, 14];

    public StoreException(string message)
        : base(message)
    {
    }

    /// <param name="reason">A disk failure.</param>
    public StoreException(Exception reason)
        : base($"The store cannot be used: {reason.Message} Nothing was acknowledged that is not in it; free some space, or make it writable, and it goes on.", reason)
    {
    }

    public static bool IsDiskFailure(Exception e) => e is SqliteException { SqliteErrorCode: var code } && DiskFailures.Contains(code);
}

/// <summary>One transaction, with a class for each aggregate.</summary>
/// <param name="cache">Of committed nodes; null for a writer.</param>
internal sealed class StoreTransaction(DbConnection connection, DbTransaction transaction, NodeCache? cache = null) : IDisposable
{
    public NodeTable Nodes { get; } = new(connection, transaction, cache);

    public InstanceTable Instances { get; } = new(connection, transaction);

    public HeadTable Heads { get; } = new(connection, transaction);

    public ScopeTable Scopes { get; } = new(connection, transaction);

    public BaselineTable Baselines { get; } = new(connection, transaction);

    public LayerTable Layers { get; } = new(connection, transaction);

    public SignatureTable Signatures { get; } = new(connection, transaction);

    public PolicyTable Policies { get; } = new(connection, transaction);

    public PendingTable Pending { get; } = new(connection, transaction);

    public UnreadTable Unread { get; } = new(connection, transaction);

    public ChangeTable Changes { get; } = new(connection, transaction);

    public ActorTable Actors { get; } = new(connection, transaction);

    public PackageTransactionTable PackageTransactions { get; } = new(connection, transaction);

    public CauseTable Causes { get; } = new(connection, transaction);

    public DeviationTable Deviations { get; } = new(connection, transaction);

    public DecisionTable Decisions { get; } = new(connection, transaction);

    public EventTable Events { get; } = new(connection, transaction);

    public NoticeTable Notices { get; } = new(connection, transaction);

    public PointTable Points { get; } = new(connection, transaction);

    public PointAccountTable PointAccounts { get; } = new(connection, transaction);

    public SampleTable Samples { get; } = new(connection, transaction);

    public RejectionTable Rejections { get; } = new(connection, transaction);

    public LaneGapTable LaneGaps { get; } = new(connection, transaction);

    public PresenceTable Presence { get; } = new(connection, transaction);

    public StateIntervalTable StateIntervals { get; } = new(connection, transaction);

    public CheckTable Checks { get; } = new(connection, transaction);

    public CollectorTable Collector { get; } = new(connection, transaction);

    public void Dispose() => Nodes.Dispose();
}
