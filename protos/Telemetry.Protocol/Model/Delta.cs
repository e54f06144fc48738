namespace Telemetry.Protocol.Model;

/// <summary>The difference between two trees of one kind, as changes in key order. It can be applied, and turned around.</summary>
public sealed record Delta(IReadOnlyList<EntryChange> Changes)
{
    public static Delta Between(INodeSource before, Digest beforeRoot, INodeSource after, Digest afterRoot) =>
        new([.. TreeDifference.Between(before, beforeRoot, after, afterRoot)]);

    public Delta Inverse() =>
        new([.. Changes.Select(change => new EntryChange(change.Key, change.After, change.Before))]);

    /// <summary>Makes the changes on a tree that has, for every key, what the delta says was there before.</summary>
    /// <exception cref="DeltaConflictException">The tree has something else; nothing was changed.</exception>
    public EditedTree ApplyTo(INodeSource source, Digest root)
    {
        CheckStart(source, root);
        return TreeEditor.Apply(
            source, root, [.. Changes.Select(change => new TreeEdit(change.Key.Bytes.ToArray(), change.After))]);
    }

    private void CheckStart(INodeSource source, Digest root)
    {
        foreach (var (change, actual) in Changes.Zip(TreeReader.FindValues(source, root, Changes.Select(change => change.Key))))
        {
            if (!actual.AsSpan().SequenceEqual(change.Before))
                throw new DeltaConflictException(change.Key);
        }
    }
}

/// <summary>A delta meets a tree that was not its starting point.</summary>
public sealed class DeltaConflictException(EntryKey key)
    : Exception($"The delta was made from another state of '{EscapedText.Of(key.Bytes)}'.")
{
    public EntryKey Key { get; } = key;
}
