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
    /// <summary>Memory that a head takes which is not complete. A million entries need about 5 MB besides their leaves.</summary>
    public const int MaxHeldBytes = 32 * 1024 * 1024;

    /// <summary>Of that, nodes that nobody asked for. Agents push 256 KiB.</summary>
    public const int MaxUnaskedBytes = 8 * 1024 * 1024;

    /// <summary>What a node takes besides its bytes, so that many tiny ones are limited too.</summary>
    private const int NodeOverhead = 256;

    /// <summary>What a node that waits for its children takes for each of them, besides its key: who waits for it, that it is wanted, where it stands.</summary>
    private const int ChildOverhead = 224;

    /// <summary>Checked nodes beyond this are stored early, so that an interrupted first contact resumes.</summary>
    private const int StoreEarlyBytes = 1024 * 1024;

    /// <summary>Digests asked for at a time: with nodes of 600 bytes on average, about what the window of a stream holds.</summary>
    private const int MaxRequested = 256;

    /// <summary>What may be asked for at any time: the paths of some changes.</summary>
    private const int Few = 64;

    private readonly AssemblyRoom _room;
    private readonly AssemblyRoom.Share _share;
    private readonly List<(Digest Digest, byte[] Bytes)> _arrived = [];
    private readonly Dictionary<Digest, Waiting> _waiting = [];
    private readonly Dictionary<Digest, List<Waiting>> _parents = [];
    private readonly Dictionary<Digest, byte[]> _offered = [];

    // Checked and not handed out yet; the others are in the store.
    private readonly Dictionary<Digest, StoredNode> _known = [];

    // In the store, and not below another of them: that one would not be there without it.
    private readonly HashSet<Digest> _relied = [];
    private readonly List<Digest> _covered = [];
    private readonly HashSet<Digest> _requested = [];
    private readonly Stack<Digest> _wanted = [];
    private readonly HashSet<Digest> _missingRoots;
    private readonly List<CheckedNode> _checked = [];
    private long? _sweeps;
    private int _checkedBytes, _unaskedBytes;
    private long _broughtBytes;
    private int _broughtNodes;

    /// <param name="revoked">Called, on any thread, when it had to give way to others: <see cref="CheckRoom"/> says so.</param>
    public HeadAssembly(Roots roots, AssemblyRoom room, Action? revoked = null)
        : this(EntryKinds.All.Select(kind => roots[kind]), room, revoked)
    {
    }

    /// <inheritdoc cref="HeadAssembly(Roots, AssemblyRoom, Action?)"/>
    /// <param name="roots">Of all trees that are to be complete.</param>
    public HeadAssembly(IEnumerable<Digest> roots, AssemblyRoom room, Action? revoked = null)
    {
        _room = room;
        _share = room.Open(revoked ?? (static () => { }));
        _missingRoots = [.. roots];
        foreach (var root in _missingRoots)
            _wanted.Push(root);
    }

    public bool IsComplete => _missingRoots.Count == 0;

    /// <summary>Whether so much is checked that it is better stored now.</summary>
    public bool IsWorthStoring => _checkedBytes >= StoreEarlyBytes;

    /// <summary>What is checked and not handed out yet.</summary>
    public int CheckedBytes => _checkedBytes;

    /// <summary>Whether so much is lacking that it has to wait for its turn.</summary>
    public bool NeedsTurn => _requested.Count + _wanted.Count > Few;

    /// <summary>Whether nodes that were asked for have not come.</summary>
    public bool IsOwed => _requested.Count > 0;

    /// <summary>What it holds, of the room that all have together.</summary>
    public long HeldBytes => _share.Bytes;

    /// <summary>Takes in a node that was asked for, or pushed unasked.</summary>
    /// <returns>Whether it was asked for.</returns>
    /// <exception cref="BadMessageException">More than an unfinished head may bring.</exception>
    /// <exception cref="OverloadedException">More than all unfinished heads together may.</exception>
    public bool Take(byte[] bytes)
    {
        var digest = TreeNode.DigestOf(bytes);
        var isAsked = _requested.Contains(digest);
        Hold(SizeOf(bytes));
        _arrived.Add((digest, bytes));
        if (!isAsked && (_unaskedBytes += SizeOf(bytes)) > MaxUnaskedBytes)
            throw new BadMessageException($"more than {MaxUnaskedBytes / 1024 / 1024} MiB of nodes that nobody asked for");
        return isAsked;
    }

    /// <exception cref="OverloadedException">It had to give way to others.</exception>
    public void CheckRoom() => _share.Check();

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
        foreach (var (digest, bytes) in _arrived)
        {
            _unaskedBytes -= SizeOf(bytes);
            if (Known(digest, nodes) is not null)
                _share.Release(SizeOf(bytes));
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
        foreach (var child in _covered)
            _relied.Remove(child);
        _share.Release(_checkedBytes + (_checked.Count * NodeOverhead));
        _checked.Clear();
        _known.Clear();
        _covered.Clear();
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

    public void Dispose() => _share.Dispose();

    private void PlaceArrived(NodeTable nodes)
    {
        foreach (var (digest, bytes) in _arrived)
        {
            if (_requested.Remove(digest))
                Place(digest, bytes, nodes);
            else if (_waiting.ContainsKey(digest) || Known(digest, nodes) is not null || !_offered.TryAdd(digest, bytes))
                Drop(bytes);
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
            Found(known, nodes);
        else if (_offered.Remove(digest, out var bytes))
            PlaceOffered(digest, bytes, nodes);
        else if (Stored(digest, nodes) is { } stored)
            Found(stored, nodes);
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
        {
            Check(waiting, nodes);
            return;
        }

        _waiting[digest] = waiting;
        waiting.Held = node.KeyBytes + (node.Count * ChildOverhead);
        Hold(waiting.Held);
    }

    private void PlaceOffered(Digest digest, byte[] bytes, NodeTable nodes)
    {
        _unaskedBytes -= SizeOf(bytes);
        Place(digest, bytes, nodes);
    }

    private void Check(Waiting first, NodeTable nodes)
    {
        var ready = new Queue<Waiting>([first]);
        while (ready.TryDequeue(out var waiting))
        {
            // One that was in the store when the node came may have been swept since.
            var summary = NodeSummary.Check(waiting.Node, waiting.Digest, child => (Known(child, nodes) ?? throw new NodeMissingException(child)).Summary);
            var known = new StoredNode(summary, NodeSummary.CanBeRoot(waiting.Node));
            _waiting.Remove(waiting.Digest);
            _share.Release(waiting.Held);
            Bring(waiting);
            _checked.Add(new CheckedNode(summary, known.CanBeRoot, waiting.Bytes));
            _checkedBytes += waiting.Bytes.Length;
            _known[waiting.Digest] = known;
            Became(known, ready);
        }
    }

    /// <summary>A node that was lacking is in the store by now: another instance brought it.</summary>
    private void Found(StoredNode stored, NodeTable nodes)
    {
        var ready = new Queue<Waiting>();
        Became(stored, ready);
        foreach (var waiting in ready)
            Check(waiting, nodes);
    }

    private void Became(StoredNode known, Queue<Waiting> ready)
    {
        var digest = known.Summary.Digest;
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

        _relied.Add(digest);
        return stored;
    }

    /// <summary>Counts a node that is new to the store.</summary>
    private void Bring(Waiting waiting)
    {
        _broughtNodes++;
        _broughtBytes += waiting.Bytes.Length;
        if (_broughtNodes > _room.MaxBrought.Nodes || _broughtBytes > _room.MaxBrought.Bytes)
            throw new BadMessageException($"more than {_room.MaxBrought.Nodes} nodes or {_room.MaxBrought.Bytes / 1024 / 1024} MiB for one head");
        for (var i = 0; i < waiting.Node.Count && !waiting.Node.IsLeaf; i++)
            _covered.Add(waiting.Node.Child(i));
    }

    private void Hold(int bytes)
    {
        if (_share.Bytes + bytes > MaxHeldBytes)
            throw new BadMessageException($"more than {MaxHeldBytes / 1024 / 1024} MiB of nodes for one unfinished head");
        _share.Hold(bytes);
    }

    private void Drop(byte[] bytes)
    {
        _unaskedBytes -= SizeOf(bytes);
        _share.Release(SizeOf(bytes));
    }

    private static int SizeOf(byte[] bytes) => bytes.Length + NodeOverhead;

    /// <summary>A node whose children are not all known.</summary>
    private sealed class Waiting(Digest digest, TreeNode node, byte[] bytes)
    {
        public Digest Digest { get; } = digest;

        public TreeNode Node { get; } = node;

        public byte[] Bytes { get; } = bytes;

        public int Missing { get; set; }

        /// <summary>Memory it takes besides its bytes while it waits.</summary>
        public int Held { get; set; }
    }
}
