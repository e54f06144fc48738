using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Fleet;

/// <summary>An entry that an instance has now.</summary>
/// <param name="Since">The agent's clock: when it was first seen so, without a break until now.</param>
/// <param name="After">The agent's clock: when it was still otherwise; null when nothing older is kept.</param>
internal sealed record FoundEntry(string InstanceId, EntryKind Kind, EntryKey Key, Fingerprint Fingerprint, DateTimeOffset Since, DateTimeOffset? After)
{
    public V1.FindResponse ToMessage() => new()
    {
        InstanceId = InstanceId,
        Entry = Fingerprint.ToMessage(Kind, Key),
        Since = Since.ToTimestamp(),
        After = After?.ToTimestamp(),
    };
}

/// <summary>Which instances have an entry now, and since when: by their stored trees alone.</summary>
internal static class FleetSearch
{
    /// <summary>Files with this content, wherever they are.</summary>
    public static IEnumerable<FoundEntry> ByContent(StoreTransaction transaction, Digest content)
    {
        // Nodes are stored once for the fleet: the leaves that have it say below which keys to look.
        var keys = transaction.Nodes.LeavesWith(content.ToArray()).SelectMany(leaf => KeysOf(leaf, content)).Distinct().Order().ToList();
        return Search(transaction, EntryKind.File, keys, fingerprint => fingerprint.Content == content);
    }

    public static IEnumerable<FoundEntry> ByKey(StoreTransaction transaction, EntryKind kind, EntryKey key) => Search(transaction, kind, [key], _ => true);

    private static IEnumerable<EntryKey> KeysOf(TreeNode leaf, Digest content)
    {
        for (var i = 0; i < leaf.Count; i++)
        {
            if (Fingerprint.Decode(leaf.Value(i)).Content == content)
                yield return new EntryKey(leaf.Key(i));
        }
    }

    private static IEnumerable<FoundEntry> Search(
        StoreTransaction transaction, EntryKind kind, IReadOnlyList<EntryKey> keys, Predicate<Fingerprint> wanted)
    {
        foreach (var instance in transaction.Instances.All())
        {
            if (transaction.Heads.Newest(instance.Id) is not { } head)
                continue;

            foreach (var key in keys)
            {
                if (TreeReader.FindValue(transaction.Nodes, head.Roots[kind], key) is { } value && Fingerprint.Decode(value) is var fingerprint && wanted(fingerprint))
                    yield return Dated(transaction, head, kind, key, value, fingerprint);
            }
        }
    }

    /// <summary>Goes back until the entry was otherwise.</summary>
    private static FoundEntry Dated(StoreTransaction transaction, InstanceHead newest, EntryKind kind, EntryKey key, byte[] value, Fingerprint fingerprint)
    {
        var first = newest;
        foreach (var head in transaction.Heads.Backwards(newest.InstanceId))
        {
            var isSame = head.Roots[kind] == first.Roots[kind]
                || (TreeReader.FindValue(transaction.Nodes, head.Roots[kind], key) is { } earlier && earlier.AsSpan().SequenceEqual(value));
            if (!isSame)
                return new FoundEntry(newest.InstanceId, kind, key, fingerprint, first.ObservedAt, first.ObservedAfter);
            first = head;
        }

        return new FoundEntry(newest.InstanceId, kind, key, fingerprint, first.ObservedAt, After: null);
    }
}
