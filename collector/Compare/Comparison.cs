using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Compare;

/// <summary>One entry on which a manifest differs from what is expected.</summary>
internal readonly record struct Difference(EntryKind Kind, EntryChange Change);

/// <summary>Whether a comparison says something about a key.</summary>
internal delegate bool Covers(EntryKind kind, ReadOnlySpan<byte> key);

/// <summary>Two manifests, compared where both say something. Pure: it reads nodes and decides nothing.</summary>
internal static class Comparison
{
    /// <summary>All differences both sides cover, by kind and key.</summary>
    public static IEnumerable<Difference> Between(
        INodeSource nodes, Roots expected, Roots actual, CoverageOverlap overlap) => Between(nodes, expected, actual, overlap.Covers);

    /// <summary>All differences that are covered, by kind and key.</summary>
    public static IEnumerable<Difference> Between(INodeSource nodes, Roots expected, Roots actual, Covers covers)
    {
        foreach (var kind in EntryKinds.All)
        {
            foreach (var change in TreeDifference.Between(nodes, expected[kind], nodes, actual[kind]))
            {
                if (covers(kind, change.Key.Bytes))
                    yield return new Difference(kind, change);
            }
        }
    }
}
