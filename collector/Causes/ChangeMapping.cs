using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Causes;

/// <summary>Change records from messages to the model, with a limit on everything a peer controls.</summary>
internal static class ChangeMapping
{
    private const int MaxRecords = 1_000;
    private const int MaxActors = 200;
    private const int MaxTransactions = 200;

    /// <exception cref="BadMessageException">Beyond a limit, or a reference to what the batch does not have.</exception>
    public static IReadOnlyList<ChangeRecord> ToModel(this V1.ChangeBatch batch)
    {
        Limit(batch.Records.Count, MaxRecords, "change records");
        Limit(batch.Actors.Count, MaxActors, "actors");
        Limit(batch.Transactions.Count, MaxTransactions, "transactions");

        var actors = batch.Actors.Select(ActorMapping.ToModel).ToList();
        var transactions = batch.Transactions.Select(PackageMapping.ToModel).ToList();
        return [.. batch.Records.Select(record => ToModel(record, actors, transactions))];
    }

    private static ChangeRecord ToModel(V1.ChangeRecord record, List<Actor> actors, List<PackageTransaction> transactions)
    {
        if (record.Fingerprint.Length > Fingerprint.MaxLength)
            throw new BadMessageException($"a fingerprint of {record.Fingerprint.Length} bytes, {Fingerprint.MaxLength} is the limit");

        return new ChangeRecord(
            record.Kind.ToModel(),
            record.Key.ToKey(),
            record.Fingerprint.ToByteArray(),
            record.ObservedAt.ToTime("observed_at"),
            At(actors, record.Actor, "actor"),
            At(transactions, record.Transaction, "transaction"),

            // A later agent may know of others: they prove nothing here.
            record.Membership is >= V1.Membership.Verified and <= V1.Membership.Residue ? (Membership)record.Membership : Membership.None);
    }

    /// <param name="place">From 1; 0: none.</param>
    private static T? At<T>(List<T> all, uint place, string what)
        where T : class
    {
        if (place == 0)
            return null;
        return place <= all.Count ? all[(int)place - 1] : throw new BadMessageException($"{what} {place} of a batch that has {all.Count}");
    }

    private static void Limit(int count, int limit, string what)
    {
        if (count > limit)
            throw new BadMessageException($"{count} {what}, {limit} is the limit");
    }
}
