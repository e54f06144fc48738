using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Removes nodes that no head, no baseline, no layer and no young node reaches, while others read and write.</summary>
/// <remarks>
/// Nodes that are younger than the run before are left alone, with all they reach, however old that is: they may belong to a head that
/// is not complete. Marks in short reads what can be reached, then deletes the rest in short transactions, parents before children: so
/// present still means complete. Each of them first marks what those reach that came meanwhile. Whoever found a node before a step
/// and relies on it in a later transaction learns of that step by the count of sweeps (<see cref="NodeTable.Add(AssembledNodes)"/>).
/// </remarks>
internal sealed class NodeSweep(StateStore store)
{
    private const int NodesPerRead = 5_000;
    private const int NodesPerWrite = 500;

    private long _boundary;

    /// <returns>How many nodes were removed.</returns>
    public long Run(CancellationToken stopping)
    {
        var oldest = _boundary;
        _boundary = store.Read(transaction => transaction.Nodes.LastId());
        if (oldest == 0)
            return 0;

        var reached = new Reached(oldest);
        while (!stopping.IsCancellationRequested && !store.Read(transaction => reached.Mark(transaction, NodesPerRead)))
        {
        }

        var removed = 0L;
        foreach (var ids in Unreached(reached, oldest, stopping).GroupBy(node => node.Level, node => node.Id).OrderByDescending(level => level.Key))
        {
            foreach (var slice in ids.Chunk(NodesPerWrite))
            {
                if (stopping.IsCancellationRequested)
                    return removed;
                removed += store.Write(transaction =>
                {
                    reached.Mark(transaction, int.MaxValue);
                    var swept = transaction.Nodes.Sweep([.. slice.Where(id => !reached.Has(id))]);

                    // Ids greater than any that is left are given once more, to nodes that come later: those are young too.
                    var last = transaction.Nodes.LastId();
                    _boundary = Math.Min(_boundary, last);
                    reached.YoungAfter(last);
                    return swept;
                });
            }
        }

        return removed;
    }

    private List<(long Id, int Level)> Unreached(Reached reached, long oldest, CancellationToken stopping)
    {
        var unreached = new List<(long Id, int Level)>();
        var last = 0L;
        while (!stopping.IsCancellationRequested && store.Read(transaction => transaction.Nodes.Page(last, oldest, NodesPerRead)) is { Count: > 0 } page)
        {
            unreached.AddRange(page.Where(node => !reached.Has(node.Id)));
            last = page[^1].Id;
        }

        return unreached;
    }

    /// <summary>Nodes that can be reached from heads, baselines, layers and young nodes.</summary>
    private sealed class Reached(long oldest)
    {
        private const int RootsAtOnce = 100;

        private readonly IdSet _nodes = new();
        private readonly Stack<Digest> _open = [];
        private long _lastHead, _lastBaseline, _lastLayer, _lastYoung = oldest;
        private bool _isOnlyOfYoung;

        public bool Has(long id) => _nodes.Has(id);

        /// <summary>Greater ids than this are those of nodes still to come.</summary>
        public void YoungAfter(long lastId) => _lastYoung = Math.Min(_lastYoung, lastId);

        /// <returns>Whether nothing is left to be marked.</returns>
        public bool Mark(StoreTransaction transaction, int nodes)
        {
            for (; nodes > 0; nodes--)
            {
                if (!_open.TryPop(out var digest))
                {
                    if (!OpenRoots(transaction) && !OpenYoung(transaction))
                        return true;

                    // Even those that are reached already were read.
                    nodes -= RootsAtOnce;
                    continue;
                }

                if (transaction.Nodes.Reach(digest) is not { } node)
                {
                    // No tree is broken that anybody has. It goes once it is old, and until then stops nothing.
                    if (_isOnlyOfYoung)
                        continue;
                    throw new NodeMissingException(digest);
                }

                if (!_nodes.Add(node.Id) || node.Body is null)
                    continue;
                var interior = TreeNode.Decode(node.Body);
                for (var i = 0; i < interior.Count; i++)
                    _open.Push(interior.Child(i));
            }

            return false;
        }

        private bool OpenRoots(StoreTransaction transaction)
        {
            var heads = transaction.Heads.RootsAfter(_lastHead, RootsAtOnce);
            var baselines = transaction.Baselines.RootsAfter(_lastBaseline, RootsAtOnce);
            var layers = transaction.Layers.RootsAfter(_lastLayer, RootsAtOnce);
            foreach (var (id, roots) in heads)
                Open(roots, id, ref _lastHead);
            foreach (var (id, roots) in baselines)
                Open(roots, id, ref _lastBaseline);
            foreach (var (id, roots) in layers)
                Open(roots, id, ref _lastLayer);
            _isOnlyOfYoung = false;
            return heads.Count + baselines.Count + layers.Count > 0;
        }

        /// <summary>After all others, so that a node is known to be theirs: below those none may be missing.</summary>
        private bool OpenYoung(StoreTransaction transaction)
        {
            var young = transaction.Nodes.InteriorAfter(_lastYoung, RootsAtOnce);
            foreach (var (id, digest) in young)
            {
                if (!_nodes.Has(id))
                    _open.Push(digest);
                _lastYoung = id;
            }

            _isOnlyOfYoung = true;
            return young.Count > 0;
        }

        private void Open(Roots roots, long id, ref long last)
        {
            foreach (var kind in EntryKinds.All)
                _open.Push(roots[kind]);
            last = id;
        }
    }
}
