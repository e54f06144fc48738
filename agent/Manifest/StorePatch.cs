using Microsoft.Data.Sqlite;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>
/// A look at some parts into the state store: a single transaction that costs as much as the parts, not as the tree. Without
/// <see cref="Commit"/> nothing happened.
/// </summary>
internal sealed class StorePatch : IDisposable
{
    private readonly StateDatabase _database;
    private readonly SqliteTransaction _transaction;
    private readonly NodeRows _rows;
    private readonly List<StoredEntries> _entries = [];
    private readonly List<(EntryKind Kind, TreeEdit Edit)> _edits = [];

    public StorePatch(StateDatabase database, long generation)
    {
        _database = database;
        _transaction = database.Writer.BeginTransaction();
        _rows = new NodeRows(database.Writer, _transaction, generation);
    }

    /// <summary>What it changes.</summary>
    public IReadOnlyList<(EntryKind Kind, TreeEdit Edit)> Edits => _edits;

    /// <summary>The entries as they were before this patch.</summary>
    public StoredEntries Previous(EntryKind kind)
    {
        var entries = new StoredEntries(_database.OpenReader(), kind);
        _entries.Add(entries);
        return entries;
    }

    /// <summary>Puts what was seen in the place of all that is stored in some ranges.</summary>
    /// <param name="root">Of the kind's tree, as it is stored.</param>
    /// <param name="ranges">Apart from each other, in rising order.</param>
    /// <param name="seen">All within the ranges, in rising order.</param>
    /// <returns>The root afterwards.</returns>
    public Digest Replace(EntryKind kind, Digest root, IReadOnlyList<KeyRange> ranges, IReadOnlyList<SeenEntry> seen)
    {
        var (edits, proven) = Compare(Previous(kind), ranges, seen);
        if (edits.Count > 0)
        {
            var edited = TreeEditor.Apply(new Nodes(_database), root, edits);
            Write(kind, edited);
            root = edited.Root;
            _edits.AddRange(edits.Select(edit => (kind, edit)));
        }

        Prove(kind, proven);
        return root;
    }

    /// <param name="needed">Replaced nodes of this generation and later are kept; null: none.</param>
    public void Commit(HeadLedger ledger, long? needed)
    {
        _rows.Forget(needed);
        _database.WriteLedger(ledger);
        _transaction.Commit();
    }

    public void Dispose()
    {
        _entries.ForEach(entries => entries.Dispose());
        _rows.Dispose();
        _transaction.Dispose();
    }

    /// <returns>What is different, and what is proven by another stamp than before.</returns>
    private static (List<TreeEdit> Edits, List<SeenEntry> Proven) Compare(
        StoredEntries stored, IReadOnlyList<KeyRange> ranges, IReadOnlyList<SeenEntry> seen)
    {
        var edits = new List<TreeEdit>();
        var proven = new List<SeenEntry>();
        var next = 0;
        foreach (var range in ranges)
        {
            var hasStored = stored.MoveTo(range.From) && !range.IsBehind(stored.Key);
            while (true)
            {
                var hasSeen = next < seen.Count && range.Holds(seen[next].Key);
                if (!hasStored && !hasSeen)
                    break;

                var order = !hasSeen ? -1 : !hasStored ? 1 : stored.Key.SequenceCompareTo(seen[next].Key);
                if (order < 0)
                    edits.Add(new TreeEdit(stored.Key.ToArray(), null));
                else if (order > 0 || !stored.Value.SequenceEqual(seen[next].Value))
                    edits.Add(new TreeEdit(seen[next].Key, seen[next].Value));
                if (order > 0 || (order == 0 && stored.Stamp != seen[next].Stamp))
                    proven.Add(seen[next]);

                if (order >= 0)
                    next++;
                if (order <= 0)
                    hasStored = stored.MoveNext() && !range.IsBehind(stored.Key);
            }
        }

        return next == seen.Count ? (edits, proven) : throw new InvalidOperationException("Something was seen outside the parts that were looked at.");
    }

    private void Write(EntryKind kind, EditedTree edited)
    {
        _rows.DeleteAbove(kind, edited.Height);
        foreach (var place in edited.Removed)
        {
            if (_rows.Find(kind, place.Level, place.FirstKey) is { } id)
                _rows.Delete(id);
        }

        var before = Previous(kind);
        foreach (var node in edited.Created)
        {
            var stamps = node.Level == 0 ? StampsOf(node, before) : [];
            if (_rows.Find(kind, node.Level, node.FirstKey) is { } id)
                _rows.Replace(id, node, stamps);
            else
                _rows.Insert(kind, node, stamps);
        }
    }

    private static byte[] StampsOf(EncodedNode leaf, StoredEntries before)
    {
        var node = TreeNode.Decode(leaf.Bytes);
        var stamps = new byte[node.Count * FileStamp.Length];
        for (var i = 0; i < node.Count; i++)
        {
            if (before.TryFind(node.Key(i)))
                before.Stamp.Write(stamps.AsSpan(i * FileStamp.Length));
        }

        return stamps;
    }

    private void Prove(EntryKind kind, List<SeenEntry> proven)
    {
        using var leaves = new LeafStamps(_database.Writer, _transaction, _rows, kind);
        foreach (var entry in proven)
            leaves.Set(entry.Key, entry.Stamp);
    }

    private sealed class Nodes(StateDatabase database) : INodeSource
    {
        public ReadOnlyMemory<byte> Read(Digest digest) => database.ReadNode(digest) ?? throw new DamagedStateException();
    }
}
