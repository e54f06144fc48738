namespace Telemetry.Protocol.Model;

/// <summary>One key on which two trees differ. Null: the tree does not have it.</summary>
public readonly record struct EntryChange(EntryKey Key, byte[]? Before, byte[]? After)
{
    public Fingerprint? BeforeFingerprint => Before is null ? null : Fingerprint.Decode(Before);

    public Fingerprint? AfterFingerprint => After is null ? null : Fingerprint.Decode(After);
}

/// <summary>Compares two trees by walking both and stepping over every subtree that has the same digest on both sides.</summary>
/// <remarks>Costs a path of nodes for each change: O(changes · log entries).</remarks>
public static class TreeDifference
{
    /// <summary>The differences in key order.</summary>
    public static IEnumerable<EntryChange> Between(INodeSource before, Digest beforeRoot, INodeSource after, Digest afterRoot)
    {
        if (beforeRoot == afterRoot)
            yield break;

        var left = new TreeCursor(before, beforeRoot);
        var right = new TreeCursor(after, afterRoot);
        while (!left.AtEnd || !right.AtEnd)
        {
            var order = left.AtEnd ? 1 : right.AtEnd ? -1 : left.Key.SequenceCompareTo(right.Key);
            if (order == 0 && left.Node.Level == right.Node.Level && left.Value.SequenceEqual(right.Value))
            {
                left.Skip();
                right.Skip();
            }
            else if (!EnterOne(left, right, order))
            {
                yield return Take(order <= 0 ? left : null, order >= 0 ? right : null);
            }
        }
    }

    /// <summary>Goes deeper on the side that begins earlier, or is higher; false when both sides are at what must be compared.</summary>
    private static bool EnterOne(TreeCursor left, TreeCursor right, int order)
    {
        var side = order < 0 ? left
            : order > 0 ? right
            : left.Node.Level >= right.Node.Level ? left
            : right;
        if (side.AtEntry)
            return false;

        var both = order == 0 && left.Node.Level == right.Node.Level;
        side.Enter();
        if (both)
            right.Enter();
        return true;
    }

    private static EntryChange Take(TreeCursor? left, TreeCursor? right)
    {
        var change = new EntryChange(new EntryKey((left ?? right)!.Key), left?.Value.ToArray(), right?.Value.ToArray());
        left?.Skip();
        right?.Skip();
        return change;
    }
}
