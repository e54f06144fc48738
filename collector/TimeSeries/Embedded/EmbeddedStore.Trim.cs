using Dapper;

namespace Telemetry.Collector.TimeSeries.Embedded;

internal sealed partial class EmbeddedStore
{
    /// <summary>Rows at a time, so that nobody waits long for the file.</summary>
    private const int TrimmedAtOnce = 1_000;

    /// <summary>Forgets what is older than it is kept; and the oldest beyond that, while the file is larger than it may be.</summary>
    /// <returns>How many chunks went.</returns>
    public long Trim(CancellationToken stopping = default)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var count = 0L;
        foreach (var level in Resolution.All)
            count += Delete(level, level.ChunkOf(now - (long)level.Kept.TotalMilliseconds), stopping);
        while (!stopping.IsCancellationRequested && Bytes > _options.LimitBytes && Longest(now) is var (level, chunk))
            count += Delete(level, chunk + 1, stopping);
        Forget(now);
        return count;
    }

    /// <summary>The oldest chunk of time of the level that has kept the most of its time: so they all lose the same share.</summary>
    private (Resolution Level, long Chunk)? Longest(long now) => Write<(Resolution, long)?>(() =>
    {
        var oldest = Resolution.All
            .Select(level => (Level: level, Chunk: OldestChunk(level)))
            .Where(one => one.Chunk is { } chunk && chunk < one.Level.ChunkOf(now))
            .ToList();
        if (oldest.Count == 0)
            return null;
        var (level, chunk) = oldest.MaxBy(one => (now - (one.Chunk!.Value * one.Level.ChunkLength)) / one.Level.Kept.TotalMilliseconds);
        return (level, chunk!.Value);
    });

    private long? OldestChunk(Resolution level) =>
        _connection.ExecuteScalar<long?>(
            "SELECT MIN(key) FROM chunks WHERE key >= @first AND key < @end", new { first = level.KeyOf(0, 0), end = (level with { Level = level.Level + 1 }).KeyOf(0, 0) }) is { } key
            ? Resolution.ChunkOfKey(key)
            : null;

    private long Delete(Resolution level, long beforeChunk, CancellationToken stopping)
    {
        var count = 0L;
        for (var deleted = TrimmedAtOnce; deleted == TrimmedAtOnce && !stopping.IsCancellationRequested; count += deleted)
        {
            deleted = Write(() => _connection.Execute(
                "DELETE FROM chunks WHERE key IN (SELECT key FROM chunks WHERE key >= @first AND key < @end ORDER BY key LIMIT @TrimmedAtOnce)",
                new { first = level.KeyOf(0, 0), end = level.KeyOf(beforeChunk, 0), TrimmedAtOnce }));
        }

        return count;
    }

    /// <summary>Series and fields that nothing is kept of any more: others get their place.</summary>
    private void Forget(long now) => Write(() =>
    {
        // When they were seen last is known to a day.
        var oldest = Resolution.All.Min(level => OldestChunk(level) * level.ChunkLength) ?? now;
        var before = Math.Max(oldest, now - (long)Resolution.Coarsest.Kept.TotalMilliseconds) - TimeSpan.MillisecondsPerDay;
        using var transaction = _connection.BeginTransaction();
        NoteSeen(transaction);
        var series = _connection.Query<byte[]>("DELETE FROM series WHERE last_at < @before RETURNING key", new { before }, transaction).ToList();
        var fields = _connection.Query<byte[]>("DELETE FROM fields WHERE last_at < @before AND last_at > 0 RETURNING name", new { before }, transaction).ToList();
        transaction.Commit();
        lock (_gate)
        {
            series.ForEach(_catalog.Series.Forget);
            fields.ForEach(_catalog.Fields.Forget);
        }

        series.ForEach(key => _guard?.Gone(key));
        fields.ForEach(name => _guard?.GoneField(name));
        return series.Count + fields.Count;
    });
}
