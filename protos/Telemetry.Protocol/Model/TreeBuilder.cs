namespace Telemetry.Protocol.Model;

/// <summary>
/// Builds a tree from entries in rising key order, in memory that depends on its height only. Nodes are handed out when they
/// are complete, children before their parent. The root is the node that is alone on its level.
/// </summary>
public sealed class TreeBuilder
{
    private readonly Action<EncodedNode> _emit;
    private readonly int _firstLevel;
    private readonly List<Level> _levels = [];

    public TreeBuilder(Action<EncodedNode> emit)
        : this(emit, firstLevel: 0)
    {
    }

    /// <summary>Builds the upper part of a tree, from pairs of first key and digest.</summary>
    internal TreeBuilder(Action<EncodedNode> emit, int firstLevel)
    {
        _emit = emit;
        _firstLevel = firstLevel;
    }

    public void Append(EntryKey key, Fingerprint fingerprint) => Append(key.Bytes, fingerprint.Encode());

    /// <exception cref="ArgumentException">The key is not greater than the one before it, or something is too long.</exception>
    public void Append(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => AppendAt(0, key, value);

    /// <summary>Completes what is open and returns the root.</summary>
    public Digest Finish()
    {
        if (_levels.Count == 0)
        {
            _emit(EncodedNode.Empty);
            return EncodedNode.Empty.Digest;
        }

        for (var index = 0; ; index++)
        {
            if (_levels[index].Writer.Count > 0)
                CompleteAt(index);
            if (_levels[index].Only is { } root)
                return root.Digest;
        }
    }

    private void AppendAt(int index, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (index == _levels.Count)
        {
            if (_firstLevel + index > Boundary.MaxLevel)
                throw new InvalidOperationException("The tree grew higher than its format allows.");
            _levels.Add(new Level(new NodeWriter(_firstLevel + index)));
        }

        var level = _levels[index];
        level.Writer.Add(key, value);
        if (level.Writer.IsClosed)
            CompleteAt(index);
    }

    private void CompleteAt(int index)
    {
        var level = _levels[index];
        var node = level.Writer.Complete();
        _emit(node);

        // The first node of a level may be the root; only a second one shows that there is a level above.
        if (!level.HasNodes)
        {
            level.HasNodes = true;
            level.Only = node;
            return;
        }

        if (level.Only is { } first)
        {
            level.Only = null;
            AppendChild(index + 1, first);
        }

        AppendChild(index + 1, node);
    }

    private void AppendChild(int index, EncodedNode node)
    {
        Span<byte> digest = stackalloc byte[Digest.Size];
        node.Digest.CopyTo(digest);
        AppendAt(index, node.FirstKey, digest);
    }

    private sealed class Level(NodeWriter writer)
    {
        public NodeWriter Writer { get; } = writer;

        public bool HasNodes { get; set; }

        /// <summary>The level's node while it is the only one.</summary>
        public EncodedNode? Only { get; set; }
    }
}
