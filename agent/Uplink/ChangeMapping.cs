using Google.Protobuf;
using Google.Protobuf.Collections;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>From changes and where they came from to what is said of them. Actors and transactions are said once in a batch.</summary>
internal sealed class ChangeMapping(ActorReader actors)
{
    /// <summary>More the collector does not take at once.</summary>
    private const int MaxRecords = 1000;

    // With command lines of 4 KiB, and with a transaction of hundreds of packages, a message stays below the 1 MiB that the collector takes.
    private const int MaxActors = 64;
    private const int MaxBytes = 256 * 1024;

    /// <returns>As many of the first as one message takes, and how many these are.</returns>
    public (byte[] Batch, int Changes) Encode(IEnumerable<AttributedChange> changes)
    {
        var batch = ToMessage(changes);
        return (batch.ToByteArray(), batch.Records.Count);
    }

    /// <returns>As many of the first as one message takes.</returns>
    public ChangeBatch ToMessage(IEnumerable<AttributedChange> changes)
    {
        var batch = new ChangeBatch();
        var actorPlaces = new Dictionary<(Watch.Who.Actor Actor, bool IsCertain), uint>();
        var transactionPlaces = new Dictionary<TransactionReport, uint>();
        var size = 0;
        foreach (var change in changes)
        {
            if (batch.Records.Count == MaxRecords || batch.Actors.Count == MaxActors || size > MaxBytes)
                break;
            size += change.Key.Length + (change.Fingerprint?.Length ?? 0);
            batch.Records.Add(new ChangeRecord
            {
                Kind = change.Kind.ToMessage(),
                Key = UnsafeByteOperations.UnsafeWrap(change.Key),
                Fingerprint = change.Fingerprint is { } bytes ? UnsafeByteOperations.UnsafeWrap(bytes) : ByteString.Empty,
                ObservedAt = change.Origin.SeenAt.ToTimestamp(),
                Actor = change.Origin.By is { } by ? PlaceOf(by) : 0,
                Transaction = change.Origin.Transaction is { } transaction ? PlaceOfTransaction(transaction) : 0,
                Membership = change.Origin.Membership.ToMessage(),
            });
        }

        return batch;

        uint PlaceOf(SeenActor by)
        {
            var actor = actors.Settled(by);
            if (!actorPlaces.TryGetValue((by.Actor, actor.IsCertain), out var place))
            {
                batch.Actors.Add(actor.ToMessage());
                size += batch.Actors[^1].CalculateSize();
                actorPlaces[(by.Actor, actor.IsCertain)] = place = (uint)batch.Actors.Count;
            }

            return place;
        }

        uint PlaceOfTransaction(TransactionReport report)
        {
            if (!transactionPlaces.TryGetValue(report, out var place))
            {
                batch.Transactions.Add(report.ToMessage());
                size += batch.Transactions[^1].CalculateSize();
                transactionPlaces[report] = place = (uint)batch.Transactions.Count;
            }

            return place;
        }
    }

    /// <summary>What was encoded and not sent on a stream, as many batches as one message takes.</summary>
    public static ChangeBatch? Next(ChangeLog changes, ref SpoolCursor sent)
    {
        ChangeBatch? all = null;
        var next = sent;
        for (var size = 0; changes.Next(ref next) is { } bytes; size += bytes.Length, sent = next)
        {
            var batch = ChangeBatch.Parser.ParseFrom(bytes.Span);
            if (all is null)
                all = batch;
            else if (size + bytes.Length > MaxBytes || all.Records.Count + batch.Records.Count > MaxRecords || all.Actors.Count + batch.Actors.Count > MaxActors)
                break;
            else
                Add(all, batch);
        }

        return all;
    }

    private static void Add(ChangeBatch all, ChangeBatch batch)
    {
        var actors = batch.Actors.Select(actor => PlaceOf(all.Actors, actor)).ToList();
        var transactions = batch.Transactions.Select(transaction => PlaceOf(all.Transactions, transaction)).ToList();
        foreach (var record in batch.Records)
        {
            record.Actor = record.Actor == 0 ? 0 : actors[(int)record.Actor - 1];
            record.Transaction = record.Transaction == 0 ? 0 : transactions[(int)record.Transaction - 1];
            all.Records.Add(record);
        }
    }

    private static uint PlaceOf<T>(RepeatedField<T> all, T one)
    {
        if (all.IndexOf(one) is >= 0 and var place)
            return (uint)place + 1;
        all.Add(one);
        return (uint)all.Count;
    }
}
