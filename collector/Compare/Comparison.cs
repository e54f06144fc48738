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

    /// <summary>
    /// Whether the difference can be judged. That an entry is there or not, and attributes that both sides know, prove
    /// something in any state; the content of an entry that could not be read in one state proves nothing.
    /// </summary>
    public static bool IsSettled(EntryChange change)
    {
        if (change.BeforeFingerprint is not { } before || change.AfterFingerprint is not { } after)
            return true;

        return (before.IsStable && after.IsStable)
            || Differ(before.Type, after.Type)
            || Differ(before.Mode, after.Mode)
            || Differ(before.Uid, after.Uid)
            || Differ(before.Gid, after.Gid);
    }

    private static bool Differ<T>(T? before, T? after)
        where T : struct =>
        before is not null && after is not null && !before.Equals(after);
}
