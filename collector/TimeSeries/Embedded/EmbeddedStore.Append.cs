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
    /// <returns>Lines that are not taken, with why; and of those that are, how many fields are texts, of which nothing is kept.</returns>
    /// <exception cref="StoreException">The disk failed; nothing was added.</exception>
    public (IReadOnlyList<RefusedParcel> Refused, long Texts) Append(IReadOnlyList<StoredPoints> batches) => Write(() =>
    {
        var refused = new List<RefusedParcel>();
        var samples = new List<Sample>();
        var lines = new MemoryStream();
        var texts = 0;
        using var transaction = _connection.BeginTransaction();
        var added = batches.Where(batch => IsNew(batch, transaction)).ToList();
        lock (_gate)
        {
            foreach (var batch in added)
                Take(batch, samples, lines, refused, ref texts);
            StoreNames(transaction);
        }

        if (lines.Length > 0)
            _connection.Execute("INSERT INTO log (lines) VALUES (@lines)", new { lines = lines.ToArray() }, transaction);
        transaction.Commit();
        lock (_gate)
            _head.Add(samples);
        if (_head.Count >= _options.MaxSamples)
            FlushNow();
        return ((IReadOnlyList<RefusedParcel>)refused, (long)texts);
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

    private void Take(StoredPoints batch, List<Sample> samples, MemoryStream lines, List<RefusedParcel> refused, ref int texts)
    {
        var now = _time.GetUtcNow();
        var (oldest, newest) = ((now - Resolution.Coarsest.Kept).ToUnixTimeMilliseconds(), (now + Ahead).ToUnixTimeMilliseconds());
        for (var rest = batch.Lines; rest.Length > 0;)
        {
            var line = rest[..LineProtocol.FirstLine(rest.Span)];
            rest = rest[line.Length..];
            if (Read(line.Span, oldest, newest, batch.Owner?.InstanceId, samples, ref texts) is not var (reason, words))
            {
                lines.Write(line.Span);
                continue;
            }

            refused.Add(new RefusedParcel(new PointParcel([batch with { Lines = line, LineCount = 1 }]), reason, words));
        }
    }

    /// <param name="instanceId">Whose agent told it; null: the collector itself, or nobody knows.</param>
    /// <param name="samples">Get its values, if it is taken.</param>
    /// <returns>Why it is not taken; null: it is.</returns>
    private (RejectionReason Reason, string Words)? Read(ReadOnlySpan<byte> line, long oldest, long newest, string? instanceId, List<Sample> samples, ref int texts)
    {
        var before = samples.Count;
        try
        {
            var reader = new LineReader(line);
            if (reader.Milliseconds < oldest || reader.Milliseconds > newest)
                return (RejectionReason.WrongTime, "older than time series are kept, or ahead of the collector's clock");
            while (reader.Next())
                samples.Add(new Sample(_catalog.Series.Of(reader.Series, instanceId), _catalog.Fields.Of(reader.Field, instanceId), reader.Milliseconds, reader.Value));
            texts += reader.Texts;
            return null;
        }
        catch (InvalidDataException e)
        {
            samples.RemoveRange(before, samples.Count - before);
            return (RejectionReason.RefusedByServer, e.Message);
        }
    }

    private void StoreNames(SqliteTransaction transaction)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var (id, name, instanceId) in _catalog.Series.Added)
        {
            _connection.Execute("INSERT INTO series (id, key, last_at, instance_id) VALUES (@id, @name, @now, @instanceId)", new { id = (long)id, name, now, instanceId }, transaction);
            _guard?.Keeps(name, instanceId);
        }

        foreach (var (id, name, instanceId) in _catalog.Fields.Added)
        {
            _connection.Execute("INSERT INTO fields (id, name, last_at, instance_id) VALUES (@id, @name, @now, @instanceId)", new { id = (long)id, name, now, instanceId }, transaction);
            _guard?.KeepsField(name, instanceId);
        }

        _catalog.Series.Added.Clear();
        _catalog.Fields.Added.Clear();
    }
}
