using Telemetry.Collector.Compare;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Layers;

/// <summary>The trees of a layer, made of its changes.</summary>
/// <param name="Nodes">Of all trees, children before parents.</param>
internal sealed record LayerTrees(Roots Before, Roots After, IReadOnlyList<EncodedNode> Nodes)
{
    /// <param name="changes">One for a key, in any order.</param>
    public static LayerTrees Of(IEnumerable<Difference> changes)
    {
        var nodes = new List<EncodedNode>();
        Roots before = Roots.Empty, after = Roots.Empty;
        foreach (var kind in changes.GroupBy(change => change.Kind, change => change.Change))
        {
            var inOrder = kind.OrderBy(change => change.Key).ToList();
            before = before.With(kind.Key, Root(inOrder, change => change.Before));
            after = after.With(kind.Key, Root(inOrder, change => change.After));
        }

        return new LayerTrees(before, after, [EncodedNode.Empty, .. nodes]);

        Digest Root(List<EntryChange> inOrder, Func<EntryChange, byte[]?> side)
        {
            var builder = new TreeBuilder(nodes.Add);
            foreach (var change in inOrder)
            {
                if (side(change) is { } value)
                    builder.Append(change.Key.Bytes, value);
            }

            return builder.Finish();
        }
    }
}
