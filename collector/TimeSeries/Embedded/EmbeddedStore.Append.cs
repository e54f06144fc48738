using System.Buffers.Binary;
using System.Security.Cryptography;
using Dapper;
using Microsoft.Data.Sqlite;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries.Embedded;

internal sealed partial class EmbeddedStore
{
    /// <summary>How far the clock of who measured may be ahead of ours.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

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

    /// <summary>What the collector took off its queue only after it died comes again.</summary>
    private bool IsNew(StoredPoints batch, SqliteTransaction transaction)
    {
        Span<byte> id = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(id, batch.Id);
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
}
