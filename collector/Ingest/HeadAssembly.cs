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
internal sealed class HeadAssembly
{
    /// <summary>Bytes of nodes kept for a head that is not complete. 375,000 entries need about 3 MB besides their leaves.</summary>
    private const int MaxHeldBytes = 32 * 1024 * 1024;

    /// <summary>What a node takes besides its bytes, so that many tiny ones are limited too.</summary>
    private const int NodeOverhead = 256;

    /// <summary>Digests asked for at a time: with nodes of 600 bytes on average, about what the window of a stream holds.</summary>
    private const int MaxRequested = 256;

    private readonly Func<Digest, StoredNode?> _stored;
    private readonly Dictionary<Digest, Waiting> _waiting = [];
    private readonly Dictionary<Digest, List<Waiting>> _parents = [];
    private readonly Dictionary<Digest, byte[]> _offered = [];
    private readonly Dictionary<Digest, StoredNode> _known = [];
    private readonly HashSet<Digest> _requested = [];
    private readonly Stack<Digest> _wanted = [];
    private readonly HashSet<Digest> _missingRoots = [];
    private readonly List<CheckedNode> _checked = [];
    private int _heldBytes;

    /// <param name="stored">Finds a node that is in the store.</param>
    public HeadAssembly(Roots roots, Func<Digest, StoredNode?> stored)
    {
        _stored = stored;
        foreach (var kind in EntryKinds.All)
        {
            var root = roots[kind];
            if (Known(root) is { } known)
                CheckRoot(known);
            else if (_missingRoots.Add(root))
                _wanted.Push(root);
        }
    }

    public bool IsComplete => _missingRoots.Count == 0;

    /// <summary>Bytes of checked nodes that can be taken.</summary>
    public int CheckedBytes { get; private set; }

    /// <summary>Takes in nodes that were asked for, or pushed unasked.</summary>
    /// <exception cref="NotCanonicalException">A node no encoder makes.</exception>
    /// <exception cref="BadMessageException">More than an unfinished head may bring.</exception>
    public void Take(byte[] bytes)
    {
        var digest = TreeNode.DigestOf(bytes);
        if (_requested.Remove(digest))
        {
            Hold(bytes.Length);
            Place(digest, bytes);
        }
        else if (Known(digest) is null)
        {
            Hold(bytes.Length);
            _offered.TryAdd(digest, bytes);
        }
    }

    /// <summary>Takes in a node of a complete manifest, whose nodes come children before parents without being asked for.</summary>
    /// <exception cref="NotCanonicalException">A node no encoder makes.</exception>
    /// <exception cref="BadMessageException">A child did not come before its parent.</exception>
    public void TakeInOrder(byte[] bytes)
    {
        var digest = TreeNode.DigestOf(bytes);
        if (Known(digest) is not null)
            return;

        Hold(bytes.Length);
        Place(digest, bytes);
        if (_waiting.ContainsKey(digest))
            throw new BadMessageException("a node before its children");
    }

    /// <summary>What to ask for next, depth first; empty when enough is on its way, or nothing is missing.</summary>
    public IReadOnlyList<Digest> NextRequests()
    {
        var requests = new List<Digest>();
        while (_requested.Count < MaxRequested && _wanted.TryPop(out var digest))
        {
            if (_offered.Remove(digest, out var bytes))
            {
                Place(digest, bytes);
            }
            else if (!_known.ContainsKey(digest) && !_waiting.ContainsKey(digest) && _requested.Add(digest))
            {
                requests.Add(digest);
            }
        }

        return requests;
    }

    /// <summary>Hands out the checked nodes so far, children before parents.</summary>
    public IReadOnlyList<CheckedNode> TakeChecked()
    {
        var nodes = _checked.ToArray();
        _checked.Clear();
        _heldBytes -= CheckedBytes + (nodes.Length * NodeOverhead);
        CheckedBytes = 0;
        return nodes;
    }

    private void Place(Digest digest, byte[] bytes)
    {
        var node = TreeNode.Decode(bytes);
        var waiting = new Waiting(digest, node, bytes);
        for (var i = node.Count - 1; i >= 0 && !node.IsLeaf; i--)
        {
            var child = node.Child(i);
            if (Known(child) is not null)
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
            _known[waiting.Digest] = known;
            _waiting.Remove(waiting.Digest);
            _checked.Add(new CheckedNode(summary, known.CanBeRoot, waiting.Bytes));
            CheckedBytes += waiting.Bytes.Length;

            if (_missingRoots.Remove(waiting.Digest))
                CheckRoot(known);
            if (!_parents.Remove(waiting.Digest, out var parents))
                continue;
            foreach (var parent in parents)
            {
                if (--parent.Missing == 0)
                    ready.Enqueue(parent);
            }
        }
    }

    private StoredNode? Known(Digest digest)
    {
        if (_known.TryGetValue(digest, out var known))
            return known;
        if (_stored(digest) is not { } stored)
            return null;

        _known[digest] = stored;
        return stored;
    }

    private static void CheckRoot(StoredNode root)
    {
        if (!root.CanBeRoot)
            throw new NotCanonicalException("a root with a single child");
    }

    private void Hold(int bytes)
    {
        _heldBytes += bytes + NodeOverhead;
        if (_heldBytes > MaxHeldBytes)
            throw new BadMessageException($"more than {MaxHeldBytes / 1024 / 1024} MiB of nodes for one unfinished head");
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
