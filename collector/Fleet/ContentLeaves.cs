using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>Which leaves hold a file of some content. Nodes are stored once for the fleet and its history: one look at all of them says it.</summary>
internal sealed class ContentLeaves(Digest content)
{
    /// <summary>Nodes between two looks whether the search is to end: some 10 MB.</summary>
    private const int AtOnce = 20_000;

    private readonly byte[] _content = content.ToArray();
    private readonly HashSet<Digest> _leaves = [];
    private long _lookedUpTo;
    private long? _sweeps;

    /// <summary>Of more, which take about 50 bytes each, none is told from the others: then each has to be read.</summary>
    public int Most { get; init; } = 500_000;

    /// <summary>Whether a leaf that was stored when it was last caught up may hold it.</summary>
    public bool MayHold(Digest leaf) => _leaves.Count >= Most || _leaves.Contains(leaf);

    /// <summary>Looks at the nodes that it did not see yet.</summary>
    public void CatchUp(NodeTable nodes, SearchBudget budget)
    {
        // Ids of nodes that were swept are given again.
        if (nodes.Sweeps() != _sweeps)
            (_lookedUpTo, _sweeps) = (0, nodes.Sweeps());
        for (var last = nodes.LastId(); _lookedUpTo < last && _leaves.Count < Most;)
        {
            budget.Check();
            var until = Math.Min(last, _lookedUpTo + AtOnce);
            _leaves.UnionWith(nodes.LeavesWith(_content, _lookedUpTo, until));
            _lookedUpTo = until;
        }
    }
}
