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
    private readonly EmbeddedOptions _options;
    private readonly TimeProvider _time;
    private readonly string _connectionString;
    private readonly SqliteConnection _connection;

    // Who writes the file. And what is in memory: whoever has the first may take the second, never the other way round.
    private readonly Lock _writing = new();
    private readonly Lock _gate = new();
    private SeriesCatalog _catalog;
    private Head _head = new();
    private bool _isUnsure;

    private EmbeddedStore(string path, EmbeddedOptions options, TimeProvider time)
    {
        (_options, _time) = (options, time);
        _catalog = NewCatalog();
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, Pooling = true, DefaultTimeout = 30 }.ToString();
        _connection = new SqliteConnection(_connectionString);
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

    /// <remarks>A file that is damaged is put aside, and a new one begun: no deviation, and no availability, is lost with it.</remarks>
    /// <exception cref="StoreException">The file cannot be used.</exception>
    public static EmbeddedStore Open(string dataDirectory, EmbeddedOptions options, TimeProvider time, ILogger<EmbeddedStore> logger)
    {
        var path = PathIn(dataDirectory);
        try
        {
            try
            {
                return new EmbeddedStore(path, options, time);
            }
            catch (SqliteException e) when (IsDamage(e))
            {
                SqliteConnection.ClearAllPools();
                File.Move(path, path + ".damaged", overwrite: true);
                foreach (var beside in (string[])["-wal", "-shm"])
                    File.Delete(path + beside);
                Log.Damaged(logger, path, e.Message);
                return new EmbeddedStore(path, options, time);
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
                return _catalog.SeriesCount;
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
                return WriteDecision.Done with { Refused = Append(parcel.Batches) };
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
        [new StoreCheck("write", CheckOutcome.Passed, $"it holds {SeriesCount} series in {Bytes >> 20} MiB")]));

    public void Dispose()
    {
        lock (_writing)
            _connection.Dispose();
        using var pool = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(pool);
    }

    private void Begin()
    {
        _connection.Execute("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;");
        using var schema = new StreamReader(typeof(EmbeddedStore).Assembly.GetManifestResourceStream(typeof(EmbeddedStore), "schema.sql")!);
        _connection.Execute(schema.ReadToEnd());
        Load();
    }

    private void Load()
    {
        var catalog = NewCatalog();
        var head = new Head();
        foreach (var (id, key, lastAt) in _connection.Query<(long, byte[], long)>("SELECT id, key, last_at FROM series"))
            catalog.Know((uint)id, key, lastAt);
        foreach (var (id, name) in _connection.Query<(long, byte[])>("SELECT id, name FROM fields"))
            catalog.Know((uint)id, name);
        lock (_gate)
        {
            (_catalog, _head) = (catalog, head);
            foreach (var lines in _connection.Query<byte[]>("SELECT lines FROM log ORDER BY id", buffered: false))
            {
                var samples = new List<Sample>();
                for (var rest = lines.AsSpan(); rest.Length > 0; rest = rest[LineProtocol.FirstLine(rest)..])
                    Read(rest[..LineProtocol.FirstLine(rest)], long.MinValue, long.MaxValue, samples);
                head.Add(samples);
            }
        }
    }

    private SeriesCatalog NewCatalog() => new(_options.MaxSeries, _options.MaxFields);

    private T Write<T>(Func<T> work)
    {
        lock (_writing)
        {
            try
            {
                if (_isUnsure)
                    Load();
                _isUnsure = true;
                var result = work();
                _isUnsure = false;
                return result;
            }
            catch (SqliteException e) when (StoreException.IsDiskFailure(e))
            {
                throw new StoreException(e);
            }
        }
    }

    private long BytesNow() =>
        _connection.ExecuteScalar<long>("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size");

    // SQLITE_CORRUPT, NOTADB.
    private static bool IsDamage(SqliteException e) => e.SqliteErrorCode is 11 or 26;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The time series in {Path} are damaged: {Reason} The file was put aside with the ending .damaged, and a new one begun. Deviations, alerts and availability are not affected")]
        public static partial void Damaged(ILogger logger, string path, string reason);
    }
}
