using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Ingest;

/// <summary>
/// Gathers the nodes of one announced head until its four trees are complete. Knows nothing of streams: it is given nodes,
/// and says which to ask for.
/// </summary>
/// <remarks>
/// Walks each tree from its root, depth first, past every node that is in the store. A node is checked when its last child
/// is, so checked nodes come out children before parents. What an unfinished head may hold here is limited.
/// </remarks>
internal sealed class HeadAssembly : IDisposable
{
    /// <summary>Bytes of nodes kept for a head that is not complete. 375,000 entries need about 3 MB besides their leaves.</summary>
    private const int MaxHeldBytes = 32 * 1024 * 1024;

    /// <summary>What a node takes besides its bytes, so that many tiny ones are limited too.</summary>
    private const int NodeOverhead = 256;

    /// <summary>Checked nodes beyond this are stored early, so that an interrupted first contact resumes.</summary>
    private const int StoreEarlyBytes = 1024 * 1024;

    /// <summary>Digests asked for at a time: with nodes of 600 bytes on average, about what the window of a stream holds.</summary>
    private const int MaxRequested = 256;

    /// <summary>What may be asked for at any time: the paths of some changes.</summary>
    private const int Few = 64;

    private readonly AssemblyRoom _room;
    private readonly List<byte[]> _arrived = [];
    private readonly Dictionary<Digest, Waiting> _waiting = [];
    private readonly Dictionary<Digest, List<Waiting>> _parents = [];
    private readonly Dictionary<Digest, byte[]> _offered = [];
    private readonly Dictionary<Digest, StoredNode> _known = [];
    private readonly HashSet<Digest> _relied = [];
    private readonly HashSet<Digest> _requested = [];
    private readonly Stack<Digest> _wanted = [];
    private readonly HashSet<Digest> _missingRoots;
    private readonly List<CheckedNode> _checked = [];
    private long? _sweeps;
    private int _heldBytes, _checkedBytes;

    public HeadAssembly(Roots roots, AssemblyRoom room)
        : this(EntryKinds.All.Select(kind => roots[kind]), room)
    {
    }

    /// <param name="roots">Of all trees that are to be complete.</param>
    public HeadAssembly(IEnumerable<Digest> roots, AssemblyRoom room)
    {
        _room = room;
        _missingRoots = [.. roots];
        foreach (var root in _missingRoots)
            _wanted.Push(root);
    }

    public bool IsComplete => _missingRoots.Count == 0;

    /// <summary>Whether so much is checked that it is better stored now.</summary>
    public bool IsWorthStoring => _checkedBytes >= StoreEarlyBytes;

    /// <summary>Whether so much is lacking that it has to wait for its turn.</summary>
    public bool NeedsTurn => _requested.Count + _wanted.Count > Few;

    /// <summary>Takes in a node that was asked for, or pushed unasked.</summary>
    /// <exception cref="BadMessageException">More than an unfinished head may bring.</exception>
    /// <exception cref="OverloadedException">More than all unfinished heads together may.</exception>
    public void Take(byte[] bytes)
    {
        var size = bytes.Length + NodeOverhead;
        if (_heldBytes + size > MaxHeldBytes)
            throw new BadMessageException($"more than {MaxHeldBytes / 1024 / 1024} MiB of nodes for one unfinished head");
        _room.Hold(size);
        _heldBytes += size;
        _arrived.Add(bytes);
    }

    /// <summary>Puts what arrived in its place, and passes what is in the store by now.</summary>
    /// <param name="isItsTurn">Whether it may ask for many nodes; for few it always may.</param>
    /// <returns>What to ask for next, depth first; empty when enough is on its way, nothing is missing, or it is not its turn.</returns>
    /// <exception cref="NotCanonicalException">A node no encoder makes.</exception>
    public IReadOnlyList<Digest> Advance(NodeTable nodes, bool isItsTurn)
    {
        _sweeps ??= nodes.Sweeps();
        PlaceArrived(nodes);
        if (!isItsTurn)
            Look(nodes);
        return isItsTurn || !NeedsTurn ? Ask(nodes) : [];
    }

    /// <summary>Takes in nodes of a complete manifest, which come children before parents without being asked for.</summary>
    /// <exception cref="NotCanonicalException">A node no encoder makes.</exception>
    /// <exception cref="BadMessageException">A child did not come before its parent.</exception>
    public void AdvanceInOrder(NodeTable nodes)
    {
        _sweeps ??= nodes.Sweeps();
        foreach (var bytes in _arrived)
        {
            var digest = TreeNode.DigestOf(bytes);
            if (Known(digest, nodes) is not null)
                Release(bytes.Length + NodeOverhead);
            else
                Place(digest, bytes, nodes);
            if (_waiting.ContainsKey(digest))
                throw new BadMessageException("a node before its children");
        }

        _arrived.Clear();
        Look(nodes);
    }

    /// <summary>Hands out the checked nodes so far.</summary>
    public AssembledNodes TakeChecked()
    {
        var nodes = new AssembledNodes([.. _checked], [.. _relied], _sweeps ?? 0);

        // The next ones rely on these, should they be swept before they are part of a head.
        foreach (var node in _checked)
            _relied.Add(node.Summary.Digest);
        Release(_checkedBytes + (_checked.Count * NodeOverhead));
        _checked.Clear();
        _checkedBytes = 0;
        return nodes;
    }

    /// <summary>Stores the checked nodes so far: they are harmless without a head.</summary>
    /// <exception cref="NodeMissingException">What they rely on was swept meanwhile: what is missing is to be found out anew.</exception>
    public Task StoreAsync(StateStore store)
    {
        var nodes = TakeChecked();
        return store.WriteAsync(transaction => transaction.Nodes.Add(nodes));
    }

    public void Dispose() => Release(_heldBytes);

    private void PlaceArrived(NodeTable nodes)
    {
        foreach (var bytes in _arrived)
        {
            var digest = TreeNode.DigestOf(bytes);
            if (_requested.Remove(digest))
                Place(digest, bytes, nodes);
            else if (Known(digest, nodes) is not null || !_offered.TryAdd(digest, bytes))
                Release(bytes.Length + NodeOverhead);
        }

        _arrived.Clear();
    }

    private List<Digest> Ask(NodeTable nodes)
    {
        var requests = new List<Digest>();
        while (_requested.Count < MaxRequested && _wanted.TryPop(out var digest))
        {
            if (!IsResolved(digest, nodes) && _requested.Add(digest))
                requests.Add(digest);
        }

        return requests;
    }

    /// <summary>Leaves wanted only what is neither in the store nor on its way.</summary>
    private void Look(NodeTable nodes)
    {
        var lacking = new Stack<Digest>();
        while (_wanted.TryPop(out var digest))
        {
            if (!IsResolved(digest, nodes))
                lacking.Push(digest);
        }

        while (lacking.TryPop(out var digest))
            _wanted.Push(digest);
    }

    private bool IsResolved(Digest digest, NodeTable nodes)
    {
        if (_waiting.ContainsKey(digest) || _requested.Contains(digest))
            return true;

        if (_known.TryGetValue(digest, out var known))
            Found(known);
        else if (_offered.Remove(digest, out var bytes))
            Place(digest, bytes, nodes);
        else if (Stored(digest, nodes) is { } stored)
            Found(stored);
        else
            return false;
        return true;
    }

    private void Place(Digest digest, byte[] bytes, NodeTable nodes)
    {
        var node = TreeNode.Decode(bytes);
        var waiting = new Waiting(digest, node, bytes);
        for (var i = node.Count - 1; i >= 0 && !node.IsLeaf; i--)
        {
            var child = node.Child(i);
            if (Known(child, nodes) is not null)
                continue;

            if (!_parents.TryGetValue(child, out var parents))
                _parents[child] = parents = [];
            parents.Add(waiting);
            waiting.Missing++;
            _wanted.Push(child);
        }

        if (waiting.Missing == 0)
            Check(waiting);
        else
            _waiting[digest] = waiting;
    }

    private void Check(Waiting first)
    {
        var ready = new Queue<Waiting>([first]);
        while (ready.TryDequeue(out var waiting))
        {
            var summary = NodeSummary.Check(waiting.Node, waiting.Digest, child => _known[child].Summary);
            var known = new StoredNode(summary, NodeSummary.CanBeRoot(waiting.Node));
            _waiting.Remove(waiting.Digest);
            _checked.Add(new CheckedNode(summary, known.CanBeRoot, waiting.Bytes));
            _checkedBytes += waiting.Bytes.Length;
            Became(known, ready);
        }
    }

    /// <summary>A node that was lacking is in the store by now: another instance brought it.</summary>
    private void Found(StoredNode stored)
    {
        var ready = new Queue<Waiting>();
        Became(stored, ready);
        foreach (var waiting in ready)
            Check(waiting);
    }

    private void Became(StoredNode known, Queue<Waiting> ready)
    {
        var digest = known.Summary.Digest;
        _known[digest] = known;
        if (_missingRoots.Remove(digest) && !known.CanBeRoot)
            throw new NotCanonicalException("a root with a single child");
        if (!_parents.Remove(digest, out var parents))
            return;

        foreach (var parent in parents)
        {
            if (--parent.Missing == 0)
                ready.Enqueue(parent);
        }
    }

    private StoredNode? Known(Digest digest, NodeTable nodes) => _known.GetValueOrDefault(digest) ?? Stored(digest, nodes);

    private StoredNode? Stored(Digest digest, NodeTable nodes)
    {
        if (nodes.Find(digest) is not { } stored)
            return null;

        _known[digest] = stored;
        _relied.Add(digest);
        return stored;
    }

    private void Release(int bytes)
    {
        _heldBytes -= bytes;
        _room.Release(bytes);
    }

    /// <summary>A node whose children are not all known.</summary>
    private sealed class Waiting(Digest digest, TreeNode node, byte[] bytes)
    {
        public Digest Digest { get; } = digest;

        public TreeNode Node { get; } = node;

        public byte[] Bytes { get; } = bytes;

        public int Missing { get; set; }
    }
}
