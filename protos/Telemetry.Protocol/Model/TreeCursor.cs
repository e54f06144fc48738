namespace Telemetry.Protocol.Model;

/// <summary>A position in a tree: a path of nodes from the root, with an index in each.</summary>
internal sealed class TreeCursor
{
    private readonly INodeSource _source;
    private readonly List<Frame> _path = [];

    public TreeCursor(INodeSource source, Digest root)
    {
        _source = source;
        _path.Add(new Frame(root, TreeNode.Decode(source.Read(root)), 0, null));
        LeaveFinished();
    }

    public bool AtEnd => _path.Count == 0;

    /// <summary>The node the position is in.</summary>
    public TreeNode Node => Top.Node;

    public Digest NodeDigest => Top.Digest;

    public int Index => Top.Index;

    /// <summary>First key behind <see cref="Node"/>, or null when it is the last of its level.</summary>
    public byte[]? Upper => Top.Upper;

    public ReadOnlySpan<byte> Key => Node.Key(Index);

    public ReadOnlySpan<byte> Value => Node.Value(Index);

    /// <summary>The position is at an entry; otherwise at a subtree that was not entered.</summary>
    public bool AtEntry => Node.IsLeaf;

    private Frame Top => _path[^1];

    /// <summary>Goes into the subtree at the position, to its first child.</summary>
    public void Enter()
    {
        var digest = Node.Child(Index);
        var child = TreeNode.Decode(_source.Read(digest));
        if (child.Level != Node.Level - 1 || child.Count == 0)
            throw new NotCanonicalException("a child on the wrong level");
        _path.Add(new Frame(digest, child, 0, UpperOfChild(Top)));
    }

    /// <summary>Goes behind the entry or subtree at the position, leaving nodes that end there.</summary>
    public void Skip()
    {
        _path[^1] = Top with { Index = Index + 1 };
        LeaveFinished();
    }

    /// <summary>Goes to the node of a level whose range holds the key. Keys must not fall from one call to the next.</summary>
    public void SeekNode(int level, ReadOnlySpan<byte> key)
    {
        while (_path.Count > 1 && (Node.Level < level || (Upper is { } upper && key.SequenceCompareTo(upper) >= 0)))
            _path.RemoveAt(_path.Count - 1);

        while (Node.Level > level)
        {
            _path[^1] = Top with { Index = Node.SearchChild(key) };
            Enter();
        }
    }

    /// <summary>Goes to a key's leaf and gives the value, or nothing. Keys must not fall from one call to the next.</summary>
    public ReadOnlySpan<byte> SeekValue(ReadOnlySpan<byte> key)
    {
        SeekNode(0, key);
        var index = Node.Search(key);
        return index >= 0 ? Node.Value(index) : [];
    }

    /// <summary>Goes to the next node of the same level.</summary>
    public bool NextNode()
    {
        if (Upper is not { } upper)
            return false;
        SeekNode(Node.Level, upper);
        return true;
    }

    private static byte[]? UpperOfChild(Frame frame) =>
        frame.Index + 1 < frame.Node.Count ? frame.Node.Key(frame.Index + 1).ToArray() : frame.Upper;

    private void LeaveFinished()
    {
        while (_path.Count > 0 && Index == Node.Count)
        {
            _path.RemoveAt(_path.Count - 1);
            if (_path.Count > 0)
                _path[^1] = Top with { Index = Index + 1 };
        }
    }

    private readonly record struct Frame(Digest Digest, TreeNode Node, int Index, byte[]? Upper);
}
