using Dapper;
using Microsoft.Data.Sqlite;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>
/// Time series in one SQLite file: values go into a log and to memory, and from there, some minutes at a time, into chunks of three
/// resolutions. What was added is on disk, once, whenever the collector dies.
/// </summary>
internal sealed partial class EmbeddedStore : ITimeSeriesStore, ISeriesReader, IDisposable
{
    private readonly string _path;
    private readonly EmbeddedOptions _options;
    private readonly TimeProvider _time;
    private readonly SeriesGuard? _guard;
    private readonly ILogger _logger;
    private readonly SqliteConnection _connection;

    // Who asks has connections of his own, and makes no file.
    private readonly string _questions;

    // Who writes the file. And what is in memory: whoever has the first may take the second, never the other way round.
    private readonly Lock _writing = new();
    private readonly Lock _gate = new();
    private SeriesCatalog _catalog = new();
    private Head _head = new();
    private bool _isUnsure;

    private EmbeddedStore(string path, EmbeddedOptions options, TimeProvider time, SeriesGuard? guard, ILogger logger)
    {
        (_path, _options, _time, _guard, _logger) = (path, options, time, guard, logger);
        var file = new SqliteConnectionStringBuilder { DataSource = path, Pooling = true, DefaultTimeout = 30 };
        _connection = new SqliteConnection(file.ToString());
        file.Mode = SqliteOpenMode.ReadWrite;
        _questions = file.ToString();
        try
        {
            _connection.Open();
            Begin();
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    public static string PathIn(string dataDirectory) => Path.Combine(dataDirectory, "timeseries.db");

    /// <remarks>A file that is damaged is put aside, now or later, and a new one begun: no deviation, and no availability, is lost with it.</remarks>
    /// <param name="guard">Is told which series and fields the store has, and decides which more it gets; null: nobody does.</param>
    /// <exception cref="StoreException">The file cannot be used.</exception>
    public static EmbeddedStore Open(string dataDirectory, EmbeddedOptions options, TimeProvider time, ILogger<EmbeddedStore> logger, SeriesGuard? guard = null)
    {
        var path = PathIn(dataDirectory);
        try
        {
            try
            {
                return new EmbeddedStore(path, options, time, guard, logger);
            }
            catch (SqliteException e) when (IsDamage(e))
            {
                SqliteConnection.ClearAllPools();
                SetAsideFile(path);
                Log.Damaged(logger, path, e.Message);
                return new EmbeddedStore(path, options, time, guard, logger);
            }
        }
        catch (SqliteException e)
        {
            throw new StoreException($"The time series in {path} cannot be opened: {e.Message} Make the file writable, or move it away to start anew: no deviation is lost with it.");
        }
    }

    /// <summary>Values that are not in chunks yet.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
                return _head.Count;
        }
    }

    public int SeriesCount
    {
        get
        {
            lock (_gate)
                return _catalog.Series.Count;
        }
    }

    /// <summary>What the file holds, without the room that was freed in it.</summary>
    public long Bytes => Write(() => BytesNow());

    public string Name => $"The embedded store {_connection.DataSource}";

    public Task<WriteDecision> WriteAsync(PointParcel parcel, CancellationToken stopping) => Task.Run(
        () =>
        {
            try
            {
                var (refused, texts) = Append(parcel.Batches);
                return WriteDecision.Done with { Refused = refused, LeftOut = texts };
            }
            catch (StoreException e)
            {
                // Nothing was added.
                return new WriteDecision(WriteAction.Wait, e.Message);
            }
        },
        stopping);

    public Task<StoreVerdict> TestAsync(CancellationToken stopping) => Task.FromResult(new StoreVerdict(
        Name,
        $"SQLite {_connection.ServerVersion}",
        _time.GetUtcNow(),
        [
            new StoreCheck("write", CheckOutcome.Passed, $"it holds {SeriesCount} series in {Bytes >> 20} MiB"),
            new StoreCheck("texts", CheckOutcome.NotPossible, "it keeps numbers only: fields that are texts are left out"),
        ]));

    public void Dispose()
    {
        lock (_writing)
            _connection.Dispose();
        ClearPools();
    }

    private void ClearPools()
    {
        SqliteConnection.ClearPool(_connection);
        using var question = new SqliteConnection(_questions);
        SqliteConnection.ClearPool(question);
    }

    private void Begin()
    {
        _connection.Execute("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;");
        using var schema = new StreamReader(typeof(EmbeddedStore).Assembly.GetManifestResourceStream(typeof(EmbeddedStore), "schema.sql")!);
        _connection.Execute(schema.ReadToEnd());
        Complete();
        Load();
    }

    /// <summary>A file from before series and fields had all that they have now.</summary>
    private void Complete()
    {
        foreach (var (table, column, type) in ((string, string, string)[])[("series", "instance_id", "TEXT"), ("fields", "instance_id", "TEXT"), ("fields", "last_at", "INTEGER NOT NULL DEFAULT 0")])
        {
            if (_connection.ExecuteScalar<long>("SELECT COUNT(*) FROM pragma_table_info(@table) WHERE name = @column", new { table, column }) == 0)
                _connection.Execute($"ALTER TABLE {table} ADD COLUMN {column} {type}");
        }
    }

    private void Load()
    {
        var catalog = new SeriesCatalog();
        var head = new Head();
        var (unread, texts) = (0, 0);
        var lately = (_time.GetUtcNow() - TimeSpan.FromDays(2)).ToUnixTimeMilliseconds();
        _guard?.KeepsNothing();
        foreach (var (id, key, lastAt, instanceId) in _connection.Query<(long, byte[], long, string?)>("SELECT id, key, last_at, instance_id FROM series", buffered: false))
        {
            catalog.Series.Know((uint)id, key, lastAt);
            _guard?.Keeps(key, instanceId, isActive: lastAt > lately);
        }

        foreach (var (id, name, lastAt, instanceId) in _connection.Query<(long, byte[], long, string?)>("SELECT id, name, last_at, instance_id FROM fields"))
        {
            catalog.Fields.Know((uint)id, name, lastAt);
            _guard?.KeepsField(name, instanceId);
        }

        lock (_gate)
        {
            (_catalog, _head) = (catalog, head);
            foreach (var lines in _connection.Query<byte[]>("SELECT lines FROM log ORDER BY id", buffered: false))
            {
                var samples = new List<Sample>();
                for (var rest = lines.AsSpan(); rest.Length > 0; rest = rest[LineProtocol.FirstLine(rest)..])
                    unread += Read(rest[..LineProtocol.FirstLine(rest)], long.MinValue, long.MaxValue, instanceId: null, samples, ref texts) is null ? 0 : 1;
                head.Add(samples);
            }
        }

        if (unread > 0)
            Log.Unread(_logger, unread, _path);
    }

    private long BytesNow() =>
        _connection.ExecuteScalar<long>("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size");

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The time series in {Path} are damaged: {Reason} The file was put aside with the ending .damaged, and a new one begun. Deviations, alerts and availability are not affected")]
        public static partial void Damaged(ILogger logger, string path, string reason);

        [LoggerMessage(2, LogLevel.Error, "{Lines} lines that were added to the time series in {Path}, and are in no chunk yet, cannot be read and are left out; all others are there")]
        public static partial void Unread(ILogger logger, int lines, string path);
    }
}
