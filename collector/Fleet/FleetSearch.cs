using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Fleet;

/// <summary>An entry that an instance has, or had.</summary>
/// <param name="Since">The agent's clock: when it was first seen so.</param>
/// <param name="After">The agent's clock: when it was still otherwise; null when nothing older is kept, or that said nothing of it.</param>
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

/// <summary>Looks for entries in the trees of the whole fleet: in what instances are, and in all that they were as far as it is kept.</summary>
/// <param name="keys">Where they may be, in rising order.</param>
/// <param name="isWanted">Which of those that are there.</param>
internal sealed class FleetSearch(StoreTransaction transaction, EntryKind kind, IReadOnlyList<EntryKey> keys, Predicate<Fingerprint> isWanted)
{
    /// <summary>For files with this content, wherever they are or were.</summary>
    public static FleetSearch ForContent(StoreTransaction transaction, Digest content)
    {
        // Nodes are stored once for the fleet and its history: the leaves that have it say below which keys to look.
        var keys = transaction.Nodes.LeavesWith(content.ToArray()).SelectMany(leaf => KeysOf(leaf, content)).Distinct().Order().ToList();
        return new FleetSearch(transaction, EntryKind.File, keys, fingerprint => fingerprint.Content == content);
    }

    public static FleetSearch ForKey(StoreTransaction transaction, EntryKind kind, EntryKey key) => new(transaction, kind, [key], _ => true);

    /// <summary>What instances have now, each since when it was first seen so without a break until now; by instance and key.</summary>
    public IEnumerable<FoundEntry> Now()
    {
        var values = keys.Select(key => new SharedSearch(transaction.Nodes, [key], _ => true)).ToList();
        foreach (var instance in transaction.Instances.All())
        {
            foreach (var found in Now(instance.Id, values))
                yield return found;
        }
    }

    /// <summary>The first that was seen of it on any instance, whatever became of it since; null: nobody ever had it.</summary>
    public FoundEntry? First()
    {
        if (keys.Count == 0)
            return null;

        var wanted = new SharedSearch(transaction.Nodes, keys, value => isWanted(Fingerprint.Decode(value)));
        (PastTree Tree, TreeEntry Entry)? first = null;
        foreach (var tree in transaction.Heads.Trees(kind))
        {
            // An agent that was away tells later what it saw earlier.
            if ((first is not { } earlier || tree.ObservedAt < earlier.Tree.ObservedAt) && wanted.First(tree.Root) is { } entry)
                first = (tree, entry);
        }

        return first is var (seen, there) ? Dated(seen, there, Before(seen)) : null;
    }

    private static IEnumerable<EntryKey> KeysOf(TreeNode leaf, Digest content)
    {
        for (var i = 0; i < leaf.Count; i++)
        {
            if (Fingerprint.Decode(leaf.Value(i)).Content == content)
                yield return new EntryKey(leaf.Key(i));
        }
    }

    /// <summary>Goes back once, for all entries, until each was otherwise.</summary>
    private IEnumerable<FoundEntry> Now(string instanceId, IReadOnlyList<SharedSearch> values)
    {
        var found = new List<FoundEntry>();
        List<(SharedSearch Values, TreeEntry Entry)>? undated = null;
        PastTree? newer = null;
        foreach (var tree in transaction.Heads.TreesBackwards(instanceId, kind))
        {
            undated ??= Wanted(values, tree.Root);
            if (undated.Count == 0)
                break;
            if (tree.Root != newer?.Root)
            {
                found.AddRange(undated.Where(there => !IsIn(tree, there)).Select(there => Dated(newer!, there.Entry, tree)));
                undated.RemoveAll(there => !IsIn(tree, there));
            }

            newer = tree;
        }

        found.AddRange(undated?.Select(there => Dated(newer!, there.Entry, before: null)) ?? []);
        return found.OrderBy(entry => entry.Key);
    }

    private List<(SharedSearch Values, TreeEntry Entry)> Wanted(IEnumerable<SharedSearch> values, Digest root) =>
    [
        .. from value in values
           let entry = value.First(root)
           where entry is not null && isWanted(entry.Value.Fingerprint)
           select (value, entry.Value),
    ];

    private static bool IsIn(PastTree tree, (SharedSearch Values, TreeEntry Entry) there) =>
        there.Values.First(tree.Root) is { } entry && entry.Value.AsSpan().SequenceEqual(there.Entry.Value);

    /// <param name="before">What the instance was before that; null: nothing older is kept.</param>
    private FoundEntry Dated(PastTree tree, TreeEntry entry, PastTree? before)
    {
        var isKnown = before is not null && transaction.Heads.Get(before.HeadId).Coverage.Covers(kind, entry.Key.Bytes);
        return new FoundEntry(tree.InstanceId, kind, entry.Key, entry.Fingerprint, tree.ObservedAt, isKnown ? tree.ObservedAfter : null);
    }

    private PastTree? Before(PastTree tree) =>
        transaction.Heads.TreesBackwards(tree.InstanceId, kind).FirstOrDefault(older => older.HeadId < tree.HeadId);
}
