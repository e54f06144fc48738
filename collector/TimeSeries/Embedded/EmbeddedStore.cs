using System.Security.Cryptography;
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
    /// <summary>How far the clock of who measured may be ahead of ours.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    /// <summary>Batches that are known again: far more than are on their way at a time.</summary>
    private const int Remembered = 100_000;

    /// <summary>Rows at a time, so that nobody waits long for the file.</summary>
    private const int TrimmedAtOnce = 1_000;

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

    /// <exception cref="StoreException">The disk failed; nothing was added.</exception>
    public Task<WriteDecision> WriteAsync(PointParcel parcel, CancellationToken stopping) =>
        Task.Run(() => WriteDecision.Done with { Refused = Append(parcel.Batches) }, stopping);

    public Task<StoreVerdict> TestAsync(CancellationToken stopping) => Task.FromResult(new StoreVerdict(
        Name,
        $"SQLite {_connection.ServerVersion}",
        _time.GetUtcNow(),
        [new StoreCheck("write", CheckOutcome.Passed, $"it holds {SeriesCount} series in {Bytes >> 20} MiB")]));

    /// <summary>Adds batches of the point queue. Those that were added before are not added again.</summary>
    /// <returns>Lines that are not taken, with why.</returns>
    /// <exception cref="StoreException">The disk failed; nothing was added.</exception>
    public IReadOnlyList<RefusedParcel> Append(IReadOnlyList<StoredPoints> batches) => Write(() =>
    {
        var refused = new List<RefusedParcel>();
        var samples = new List<Sample>();
        var lines = new MemoryStream();
        using var transaction = _connection.BeginTransaction();
        var added = batches.Where(batch => IsNew(batch, transaction)).ToList();
        lock (_gate)
        {
            foreach (var batch in added)
                Take(batch, samples, lines, refused);
            StoreNames(transaction);
        }

        if (lines.Length > 0)
            _connection.Execute("INSERT INTO log (lines) VALUES (@lines)", new { lines = lines.ToArray() }, transaction);
        transaction.Commit();
        lock (_gate)
            _head.Add(samples);
        if (_head.Count >= _options.MaxSamples)
            FlushNow();
        return refused;
    });

    /// <summary>Puts into chunks what is not yet.</summary>
    /// <exception cref="StoreException">The disk failed; nothing was lost.</exception>
    public void Flush() => Write(FlushNow);

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

    /// <summary>What the collector took off its queue only after it died comes again.</summary>
    private bool IsNew(StoredPoints batch, SqliteTransaction transaction)
    {
        Span<byte> id = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(id, batch.Id);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(id);
        digest.AppendData(batch.Lines.Span);
        return _connection.Execute(
            "INSERT INTO applied (digest) VALUES (@digest) ON CONFLICT DO NOTHING", new { digest = digest.GetHashAndReset() }, transaction) == 1;
    }

    private void Take(StoredPoints batch, List<Sample> samples, MemoryStream lines, List<RefusedParcel> refused)
    {
        var now = _time.GetUtcNow();
        var (oldest, newest) = ((now - Resolution.Coarsest.Kept).ToUnixTimeMilliseconds(), (now + Ahead).ToUnixTimeMilliseconds());
        for (var rest = batch.Lines; rest.Length > 0;)
        {
            var line = rest[..LineProtocol.FirstLine(rest.Span)];
            rest = rest[line.Length..];
            var before = samples.Count;
            if (Read(line.Span, oldest, newest, samples) is not var (reason, words))
            {
                lines.Write(line.Span);
                continue;
            }

            samples.RemoveRange(before, samples.Count - before);
            refused.Add(new RefusedParcel(new PointParcel([batch with { Lines = line, LineCount = 1 }]), reason, words));
        }
    }

    /// <returns>Why it is not taken; null: it is.</returns>
    private (RejectionReason Reason, string Words)? Read(ReadOnlySpan<byte> line, long oldest, long newest, List<Sample> samples)
    {
        try
        {
            var reader = new LineReader(line);
            if (reader.Milliseconds < oldest || reader.Milliseconds > newest)
                return (RejectionReason.WrongTime, "older than time series are kept, or ahead of the collector's clock");
            while (reader.Next())
            {
                if (_catalog.SeriesOf(reader.Series) is not { } series || _catalog.FieldOf(reader.Field) is not { } field)
                    return (RejectionReason.TooManySeries, $"{_options.MaxSeries} series of {_options.MaxFields} fields are the most that the embedded store keeps");
                samples.Add(new Sample(series, field, reader.Milliseconds, reader.Value));
            }

            return null;
        }
        catch (InvalidDataException e)
        {
            return (RejectionReason.RefusedByServer, e.Message);
        }
    }

    private void StoreNames(SqliteTransaction transaction)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (id, key) in _catalog.NewSeries)
            _connection.Execute("INSERT INTO series (id, key, last_at) VALUES (@id, @key, @now)", new { id = (long)id, key, now }, transaction);
        foreach (var (id, name) in _catalog.NewFields)
            _connection.Execute("INSERT INTO fields (id, name) VALUES (@id, @name)", new { id = (long)id, name }, transaction);
        _catalog.NewSeries.Clear();
        _catalog.NewFields.Clear();
    }

    private int FlushNow()
    {
        using var transaction = _connection.BeginTransaction();
        using var find = Command("SELECT body FROM chunks WHERE key = @key", transaction);
        using var put = Command("INSERT INTO chunks (key, body) VALUES (@key, @body) ON CONFLICT (key) DO UPDATE SET body = excluded.body", transaction);
        put.Parameters.Add("@body", SqliteType.Blob);
        var writer = new ChunkWriter();

        // Read without the gate: nobody but who writes adds to them.
        foreach (var level in Resolution.All)
        {
            foreach (var series in _head.Series.Order())
            {
                foreach (var samples in _head.Of(series).GroupBy(sample => level.ChunkOf(sample.Time)))
                {
                    find.Parameters[0].Value = put.Parameters[0].Value = level.KeyOf(samples.Key, series);
                    var chunk = find.ExecuteScalar() is byte[] body ? DecodeOrNew(body, level) : new Chunk(level.StepsInChunk);
                    foreach (var sample in samples)
                        chunk.Add(sample.Field, (int)(sample.Time % level.ChunkLength / level.Step), Bucket.Of(sample.Value));
                    writer.Clear();
                    chunk.Encode(writer);
                    put.Parameters[1].Value = writer.Written.ToArray();
                    put.ExecuteNonQuery();
                }
            }
        }

        foreach (var series in _head.Series)
        {
            var at = _head.Of(series).Max(sample => sample.Time);
            if (_catalog.Seen(series, at))
                _connection.Execute("UPDATE series SET last_at = @at WHERE id = @id", new { id = (long)series, at }, transaction);
        }

        _connection.Execute("DELETE FROM log", transaction: transaction);
        _connection.Execute("DELETE FROM applied WHERE id <= (SELECT MAX(id) FROM applied) - @Remembered", new { Remembered }, transaction);
        var count = _head.Count;

        // Whoever asks sees them in memory, or in chunks.
        lock (_gate)
        {
            transaction.Commit();
            _head = new Head();
        }

        return count;
    }

    private SqliteCommand Command(string text, SqliteTransaction transaction)
    {
        var command = _connection.CreateCommand();
        command.CommandText = text;
        command.Transaction = transaction;
        command.Parameters.Add("@key", SqliteType.Integer);
        return command;
    }

    /// <summary>A damaged chunk costs its own values and no others.</summary>
    private static Chunk DecodeOrNew(byte[] body, Resolution level)
    {
        try
        {
            return Chunk.Decode(body, level.StepsInChunk);
        }
        catch (InvalidDataException)
        {
            return new Chunk(level.StepsInChunk);
        }
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
