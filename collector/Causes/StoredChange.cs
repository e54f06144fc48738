namespace Telemetry.Collector.Causes;

/// <summary>A change record of one key of one instance, as the store keeps it.</summary>
/// <param name="Id">Grows in the order records arrive: an agent tells them in order, whatever its clock does.</param>
/// <param name="Fingerprint">Encoded; empty: the entry was gone.</param>
/// <param name="ObservedAt">The agent's clock.</param>
/// <param name="ReceivedAt">The collector's clock.</param>
internal sealed record StoredChange(
    long Id,
    byte[] Fingerprint,
    DateTimeOffset ObservedAt,
    DateTimeOffset ReceivedAt,
    long? ActorId,
    long? TransactionId,
    Membership Membership)
{
    /// <summary>Whether it belongs to a package transaction, and is no residue of it.</summary>
    public bool IsOfPackages => TransactionId is not null && Membership is Membership.Verified or Membership.Unverified;

    /// <summary>Whether it tells of the change that made the entry what it is.</summary>
    /// <param name="actual">Encoded fingerprint; null: the entry is gone.</param>
    public bool Made(byte[]? actual) => Fingerprint.AsSpan().SequenceEqual(actual);

    /// <summary>The record of the change that made an entry what it is; null when there is none.</summary>
    /// <param name="records">Of one key, newest first.</param>
    public static StoredChange? ThatMade(byte[]? actual, IReadOnlyList<StoredChange> records)
    {
        foreach (var record in records)
        {
            if (record.Made(actual))
                return record;
        }

        return null;
    }

    /// <summary>
    /// Records that a head has overtaken: told before it, and of a state the entry is not in any more. Kept, they would name
    /// their actor when the entry gets into that state again by somebody else's hand.
    /// </summary>
    /// <param name="announcedAt">The collector's clock: when the head was announced.</param>
    public static IReadOnlyList<long> Overtaken(byte[]? actual, DateTimeOffset announcedAt, IReadOnlyList<StoredChange> records)
    {
        List<long>? overtaken = null;
        foreach (var record in records)
        {
            // Stored in whole milliseconds: within the same one it is not known which came first.
            if (!record.Made(actual) && record.ReceivedAt.ToUnixTimeMilliseconds() < announcedAt.ToUnixTimeMilliseconds())
                (overtaken ??= []).Add(record.Id);
        }

        return overtaken ?? [];
    }
}
