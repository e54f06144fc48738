using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Removes nodes that no head, no baseline and no layer reaches, while others read and write.</summary>
/// <remarks>
/// Marks in short reads what can be reached, then deletes the rest in short transactions, parents before children: so present
/// still means complete. Each of them first marks what the heads, baselines and layers reach that came meanwhile. Nodes that are younger
/// than the run before are left alone: they may belong to a head that is not complete. Whoever found a node before a step
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

        var reached = new Reached();
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
                    return transaction.Nodes.Sweep([.. slice.Where(id => !reached.Has(id))]);
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

    /// <summary>Nodes that can be reached from heads, baselines and layers.</summary>
    private sealed class Reached
    {
        private const int RootsAtOnce = 100;

        private readonly IdSet _nodes = new();
        private readonly Stack<Digest> _open = [];
        private long _lastHead, _lastBaseline, _lastLayer;

        public bool Has(long id) => _nodes.Has(id);

        /// <returns>Whether nothing is left to be marked.</returns>
        public bool Mark(StoreTransaction transaction, int nodes)
        {
            for (; nodes > 0; nodes--)
            {
                if (!_open.TryPop(out var digest))
                {
                    if (!OpenRoots(transaction))
                        return true;
                    continue;
                }

                var node = transaction.Nodes.Reach(digest);
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
            return heads.Count + baselines.Count + layers.Count > 0;
        }

        private void Open(Roots roots, long id, ref long last)
        {
            foreach (var kind in EntryKinds.All)
                _open.Push(roots[kind]);
            last = id;
        }
    }
}
