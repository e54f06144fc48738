using Google.Protobuf;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Watch.Transactions;
using Telemetry.Agent.Watch.Who;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Agent.Uplink;

/// <summary>From changes and where they came from to what is said of them. Actors and transactions are said once in a batch.</summary>
internal sealed class ChangeMapping(ActorReader actors)
{
    /// <summary>More the collector does not take at once.</summary>
    public const int MaxRecords = 1000;

    // With command lines of 4 KiB and keys of as much a message stays far below the 4 MiB that the collector takes.
    private const int MaxActors = 64;
    private const int MaxBytes = 256 * 1024;

    /// <returns>As many of the first as one message takes.</returns>
    public ChangeBatch ToMessage(IReadOnlyList<AttributedChange> changes)
    {
        var batch = new ChangeBatch();
        var actorPlaces = new Dictionary<(Watch.Who.Actor Actor, bool IsCertain), uint>();
        var transactionPlaces = new Dictionary<TransactionReport, uint>();
        var size = 0;
        foreach (var change in changes)
        {
            if (batch.Actors.Count == MaxActors || size > MaxBytes)
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
                actorPlaces[(by.Actor, actor.IsCertain)] = place = (uint)batch.Actors.Count;
            }

            return place;
        }

        uint PlaceOfTransaction(TransactionReport report)
        {
            if (!transactionPlaces.TryGetValue(report, out var place))
            {
                batch.Transactions.Add(report.ToMessage());
                transactionPlaces[report] = place = (uint)batch.Transactions.Count;
            }

            return place;
        }
    }
}
