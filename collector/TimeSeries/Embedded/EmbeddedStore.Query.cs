using System.Text.Json;
using Dapper;
using Microsoft.Data.Sqlite;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries.Embedded;

internal sealed partial class EmbeddedStore
{
    /// <summary>Chunks that one question may read.</summary>
    private const long MostRead = 2_000_000;

    public Task<IReadOnlyList<AnsweredSeries>> QueryAsync(SeriesQuery query, CancellationToken cancellation) =>
        Task.Run(() => Query(query.Checked(), cancellation), cancellation);

    private IReadOnlyList<AnsweredSeries> Query(SeriesQuery query, CancellationToken cancellation)
    {
        try
        {
            using var connection = new SqliteConnection(_questions);
            if (Select(query, connection) is not { } selection)
                return [];

            using var transaction = selection.Transaction;
            var (from, to) = (query.From.ToUnixTimeMilliseconds(), query.To.ToUnixTimeMilliseconds());
            var asked = query.Step is { } length ? (long)length.TotalMilliseconds : (long?)null;
            var level = Resolution.For(from, to, asked, _time.GetUtcNow().ToUnixTimeMilliseconds(), level => Oldest(level, connection, transaction));
            var step = asked is { } wanted ? (wanted + level.Step - 1) / level.Step * level.Step : (long?)null;
            var groups = new SeriesGroups(query, selection.Series, step);
            ReadChunks(selection, level, from, to, groups, connection, transaction, cancellation);

            // Behind the chunks, because they are newer.
            foreach (var sample in selection.Samples)
            {
                var at = sample.Time - (sample.Time % level.Step);
                if (at >= from && at < to)
                    groups.Add(sample.Series, at, Bucket.Of(sample.Value));
            }

            return groups.ToSeries();
        }
        catch (SqliteException e) when (IsDamage(e))
        {
            // Who writes next begins anew.
            _isDamaged = true;
            throw new SeriesException($"The time series are damaged, and begun anew: {e.Message}");
        }
        catch (SqliteException e) when (StoreException.IsDiskFailure(e))
        {
            throw new SeriesException($"The time series cannot be read: {e.Message}");
        }
    }

    /// <summary>What is in memory of the series asked for, and of the file one state that goes with it.</summary>
    private Selection? Select(SeriesQuery query, SqliteConnection connection)
    {
        lock (_gate)
        {
            if (_catalog.FindField(query.Field) is not { } field)
                return null;

            // The first read fixes what this transaction sees.
            connection.Open();
            var transaction = connection.BeginTransaction(deferred: true);
            connection.Execute("SELECT 1 FROM series LIMIT 1", transaction: transaction);
            var series = _catalog.Of(query.Measurement, query.Where).ToDictionary(one => one.Id, one => one.Tags);
            var samples = series.Keys.SelectMany(id => _head.Of(id)).Where(sample => sample.Field == field).ToList();
            return new Selection(transaction, field, series, samples);
        }
    }

    private static void ReadChunks(
        Selection selection, Resolution level, long from, long to, SeriesGroups groups, SqliteConnection connection, SqliteTransaction transaction, CancellationToken cancellation)
    {
        if (Oldest(level, connection, transaction) is not { } oldest)
            return;
        var (first, last) = (level.ChunkOf(Math.Max(from, oldest)), level.ChunkOf(to - 1));
        var newest = connection.ExecuteScalar<long?>(
            "SELECT MAX(key) FROM chunks WHERE key < @end", new { end = (level with { Level = level.Level + 1 }).KeyOf(0, 0) }, transaction);
        last = Math.Min(last, newest is { } key ? Resolution.ChunkOfKey(key) : -1);
        if (last < first)
            return;
        if ((last - first + 1) * selection.Series.Count > MostRead)
            throw SeriesQuery.TooMuch();

        var chunks = JsonSerializer.Serialize(Enumerable.Range(0, (int)(last - first + 1)).Select(i => level.KeyOf(first + i, 0)));
        foreach (var (chunkKey, body) in connection.Query<(long, byte[])>(
            """
            SELECT c.key, c.body
              FROM json_each(@chunks) AS t
             CROSS JOIN json_each(@series) AS s
             CROSS JOIN chunks AS c ON c.key = t.value + s.value
            """,
            new { chunks, series = JsonSerializer.Serialize(selection.Series.Keys) }, transaction, buffered: false))
        {
            cancellation.ThrowIfCancellationRequested();
            var start = Resolution.ChunkOfKey(chunkKey) * level.ChunkLength;
            var buckets = FieldOf(body, level, selection.Field);
            for (var i = 0; i < buckets.Length; i++)
            {
                var at = start + (i * level.Step);
                if (!buckets[i].IsEmpty && at >= from && at < to)
                    groups.Add((uint)Resolution.SeriesOfKey(chunkKey), at, buckets[i]);
            }
        }
    }

    /// <summary>Of a damaged chunk nothing is known.</summary>
    private static ReadOnlySpan<Bucket> FieldOf(byte[] body, Resolution level, uint field)
    {
        try
        {
            return Chunk.Decode(body, level.StepsInChunk, field)[field];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    private static long? Oldest(Resolution level, SqliteConnection connection, SqliteTransaction transaction) =>
        connection.ExecuteScalar<long?>(
            "SELECT MIN(key) FROM chunks WHERE key >= @first AND key < @end",
            new { first = level.KeyOf(0, 0), end = (level with { Level = level.Level + 1 }).KeyOf(0, 0) }, transaction) is { } key
            ? Resolution.ChunkOfKey(key) * level.ChunkLength
            : null;

    private sealed record Selection(SqliteTransaction Transaction, uint Field, Dictionary<uint, Dictionary<string, string>> Series, List<Sample> Samples);
}
