using Dapper;
using Microsoft.Data.Sqlite;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries.Embedded;

internal sealed partial class EmbeddedStore
{
    /// <summary>Batches that are known again: far more than are on their way at a time.</summary>
    private const int Remembered = 100_000;

    /// <summary>Puts into chunks what is not yet.</summary>
    /// <exception cref="StoreException">The disk failed; nothing was lost.</exception>
    public void Flush() => Write(FlushNow);

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

        NoteSeen(transaction);
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

    /// <summary>Which series and fields go on.</summary>
    private void NoteSeen(SqliteTransaction transaction)
    {
        var fields = new Dictionary<uint, long>();
        foreach (var series in _head.Series)
        {
            var newest = 0L;
            foreach (var sample in _head.Of(series))
            {
                newest = Math.Max(newest, sample.Time);
                fields[sample.Field] = Math.Max(fields.GetValueOrDefault(sample.Field), sample.Time);
            }

            if (_catalog.Series.Seen(series, newest))
                _connection.Execute("UPDATE series SET last_at = @newest WHERE id = @id", new { id = (long)series, newest }, transaction);
        }

        foreach (var (field, newest) in fields)
        {
            if (_catalog.Fields.Seen(field, newest))
                _connection.Execute("UPDATE fields SET last_at = @newest WHERE id = @id", new { id = (long)field, newest }, transaction);
        }
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
}
