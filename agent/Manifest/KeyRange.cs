using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>A stretch of keys of one kind's tree.</summary>
/// <param name="From">The first key it may hold.</param>
/// <param name="Before">The first key behind it; null: it goes to the end.</param>
internal readonly record struct KeyRange(byte[] From, byte[]? Before)
{
    public static readonly KeyRange Whole = new([], null);

    public static KeyRange Single(EntryKey key) => new(key.Bytes.ToArray(), [.. key.Bytes, EntryKey.Separator]);

    /// <summary>A key and all below it.</summary>
    public static KeyRange Subtree(EntryKey key) =>
        key.IsRoot ? Whole : new(key.Bytes.ToArray(), [.. key.Bytes, EntryKey.Separator + 1]);

    public bool Holds(ReadOnlySpan<byte> key) => key.SequenceCompareTo(From) >= 0 && !IsBehind(key);

    public bool IsBehind(ReadOnlySpan<byte> key) => Before is not null && key.SequenceCompareTo(Before) >= 0;
}
