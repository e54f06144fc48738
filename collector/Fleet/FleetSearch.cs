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
/// <remarks>An instance at a time, each in a transaction of its own: however much there is, it holds no more than what one of them has.</remarks>
/// <param name="key">The only one that is looked for; null: whatever <paramref name="search"/> finds.</param>
/// <param name="leaves">Where that may be; null: anywhere.</param>
internal sealed class FleetSearch(StateStore store, EntryKind kind, EntryKey? key, SharedSearch search, ContentLeaves? leaves, SearchBudget budget)
{
    /// <summary>Heads at a time.</summary>
    private const int Page = 500;

    /// <summary>For files with this content, wherever they are or were.</summary>
    public static FleetSearch ForContent(StateStore store, Digest content, SearchBudget budget, ContentLeaves? leaves = null)
    {
        leaves ??= new ContentLeaves(content);
        return new FleetSearch(store, EntryKind.File, null, new SharedSearch(null, value => Fingerprint.Decode(value).Content == content, leaves.MayHold), leaves, budget);
    }

    public static FleetSearch ForKey(StateStore store, EntryKind kind, EntryKey key, SearchBudget budget) =>
        new(store, kind, key, new SharedSearch(key, _ => true), null, budget);

    /// <summary>What instances have now, each since when it was first seen so without a break until now; by instance and key.</summary>
    /// <param name="instanceId">Only of this one; null: of all.</param>
    public IEnumerable<FoundEntry> Now(string? instanceId = null)
    {
        foreach (var id in instanceId is null ? store.Read(transaction => transaction.Instances.Ids()) : [instanceId])
        {
            foreach (var entry in budget.Take(Look((transaction, nodes) => Now(transaction, nodes, id)) ?? []))
                yield return entry;
            if (budget.Exceeded is not null)
                yield break;
        }
    }

    /// <summary>The first that was seen of it on any instance, whatever became of it since; null: nobody ever had it.</summary>
    public FoundEntry? First()
    {
        (PastTree Tree, TreeEntry Entry)? first = null;
        for (long? after = 0; after is { } last;)
        {
            after = Look<long?>((transaction, nodes) =>
            {
                var trees = transaction.Heads.Trees(kind, last, Page);
                foreach (var tree in trees)
                {
                    // An agent that was away tells later what it saw earlier.
                    if ((first is not { } earlier || tree.ObservedAt < earlier.Tree.ObservedAt) && search.First(nodes, tree.Root) is { } entry)
                        first = (tree, entry);
                }

                return trees.Count < Page ? null : trees[^1].HeadId;
            });
        }

        return first is var (seen, there) ? store.Read(transaction => Dated(transaction, seen, [there], Before(transaction, seen)).Single()) : null;
    }

    private T? Look<T>(Func<StoreTransaction, INodeSource, T> part) => budget.Look(() => store.Read(transaction =>
    {
        leaves?.CatchUp(transaction.Nodes, budget);
        return part(transaction, budget.Over(transaction.Nodes));
    }));

    /// <summary>Goes back once, for all entries, until each was otherwise. One more than may be found shows that there are more.</summary>
    private List<FoundEntry> Now(StoreTransaction transaction, INodeSource nodes, string instanceId)
    {
        var found = new List<FoundEntry>();
        Dictionary<EntryKey, TreeEntry>? undated = null;
        PastTree? newer = null;
        foreach (var tree in transaction.Heads.TreesBackwards(instanceId, kind))
        {
            budget.Check();
            undated ??= search.All(nodes, tree.Root).Take(budget.Left + 1).ToDictionary(entry => entry.Key);
            if (undated.Count == 0)
                break;
            if (newer is not null && tree.Root != newer.Root)
                found.AddRange(Dated(transaction, newer, [.. Otherwise(nodes, tree.Root, newer.Root, undated)], tree));
            newer = tree;
        }

        found.AddRange(Dated(transaction, newer, [.. undated?.Values.AsEnumerable() ?? []], before: null));
        found.Sort((left, right) => left.Key.CompareTo(right.Key));
        return found;
    }

    /// <summary>Takes those out that an older tree has otherwise or not at all.</summary>
    private IEnumerable<TreeEntry> Otherwise(INodeSource nodes, Digest older, Digest newer, Dictionary<EntryKey, TreeEntry> undated)
    {
        // Of a single key the search remembers what each node has; of many, what changed is less than what did not.
        var changed = key is { } only
            ? search.First(nodes, older) is { } then && then.Value.AsSpan().SequenceEqual(undated[only].Value) ? (EntryKey[])[] : [only]
            : TreeDifference.Between(nodes, older, nodes, newer).Select(change => change.Key);
        foreach (var otherwise in changed)
        {
            if (undated.Remove(otherwise, out var entry))
                yield return entry;
            if (undated.Count == 0)
                yield break;
        }
    }

    /// <param name="tree">The first that has them; null only if there are none.</param>
    /// <param name="before">What the instance was before that; null: nothing older is kept.</param>
    private IEnumerable<FoundEntry> Dated(StoreTransaction transaction, PastTree? tree, IReadOnlyCollection<TreeEntry> entries, PastTree? before)
    {
        var coverage = before is null || entries.Count == 0 ? null : transaction.Heads.Get(before.HeadId).Coverage;
        return entries.Select(entry => new FoundEntry(
            tree!.InstanceId,
            kind,
            entry.Key,
            entry.Fingerprint,
            tree.ObservedAt,
            coverage?.Covers(kind, entry.Key.Bytes) == true ? tree.ObservedAfter : null));
    }

    private PastTree? Before(StoreTransaction transaction, PastTree tree) =>
        transaction.Heads.TreesBackwards(tree.InstanceId, kind).FirstOrDefault(older => older.HeadId < tree.HeadId);
}
