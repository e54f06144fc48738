using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Storage;

/// <summary>Nodes that this collector made itself, on their way into the store.</summary>
internal static class CreatedNodes
{
    /// <param name="created">Children before parents.</param>
    /// <param name="nodes">Has the children that are not among them.</param>
    public static AssembledNodes ToStore(IEnumerable<EncodedNode> created, NodeTable nodes)
    {
        var sweeps = nodes.Sweeps();
        var summaries = new Dictionary<Digest, NodeSummary>();
        var relied = new HashSet<Digest>();
        var ready = new List<CheckedNode>();
        foreach (var node in created)
        {
            var decoded = TreeNode.Decode(node.Bytes);
            var summary = NodeSummary.Check(decoded, node.Digest, Known);
            if (summaries.TryAdd(node.Digest, summary))
                ready.Add(new CheckedNode(summary, NodeSummary.CanBeRoot(decoded), node.Bytes));
        }

        return new AssembledNodes(ready, relied, sweeps);

        NodeSummary Known(Digest child)
        {
            if (summaries.TryGetValue(child, out var known))
                return known;
            relied.Add(child);
            return nodes.Find(child)?.Summary ?? throw new NodeMissingException(child);
        }
    }
}
