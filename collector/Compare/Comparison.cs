using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Compare;

/// <summary>One entry on which a manifest differs from what is expected.</summary>
internal readonly record struct Difference(EntryKind Kind, EntryChange Change);

/// <summary>Two manifests, compared where both say something. Pure: it reads nodes and decides nothing.</summary>
internal static class Comparison
{
    /// <summary>All differences both sides cover, by kind and key.</summary>
    public static IEnumerable<Difference> Between(
        INodeSource nodes, Roots expected, Roots actual, CoverageOverlap overlap)
    {
        foreach (var kind in EntryKinds.All)
        {
            foreach (var change in TreeDifference.Between(nodes, expected[kind], nodes, actual[kind]))
            {
                if (overlap.Covers(kind, change.Key.Bytes))
                    yield return new Difference(kind, change);
            }
        }
    }
}
