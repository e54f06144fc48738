using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

/// <summary>Keys, fingerprints and trees for tests that do not care which.</summary>
internal static class Some
{
    public static EntryKey Key(string path) => EntryKey.OfPath(path);

    /// <summary>A regular file; another seed, another content.</summary>
    public static Fingerprint File(int seed = 0) => new()
    {
        Type = FileType.File,
        Mode = 0x1a4,
        Uid = 0,
        Gid = 0,
        Size = (ulong)seed,
        Content = Digest.Of(BitConverter.GetBytes(seed)),
    };

    public static byte[] Value(int seed = 0) => File(seed).Encode();

    /// <summary>As many keys as asked for, of paths like those of a system, in key order.</summary>
    public static EntryMap Files(int count)
    {
        var map = new EntryMap();
        for (var i = 0; i < count; i++)
            map[Utf8($"usr\0lib\0module{i / 40:d4}\0file{i % 40:d2}.so")] = Value(i);
        return map;
    }

    /// <summary>Keys that cause no natural boundary among the leaves, in key order.</summary>
    public static byte[][] KeysWithoutBoundary(string prefix, int count, string suffix = "") =>
        [.. Enumerable.Range(0, int.MaxValue)
            .Select(i => Utf8($"{prefix}{i:d6}{suffix}"))
            .Where(key => !Boundary.IsNatural(key, 0))
            .Take(count)];

    /// <summary>The first key of a numbered row that causes a natural boundary among the leaves.</summary>
    public static byte[] KeyWithBoundary(string prefix, int from = 0) =>
        Enumerable.Range(from, int.MaxValue - from)
            .Select(i => Utf8($"{prefix}{i:d6}"))
            .First(key => Boundary.IsNatural(key, 0));

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}

/// <summary>What a tree should be: the plainest ordered map there is.</summary>
internal sealed class EntryMap() : SortedDictionary<byte[], byte[]>(ByteOrder)
{
    public static readonly IComparer<byte[]> ByteOrder =
        Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right));

    public EntryMap(EntryMap other)
        : this()
    {
        foreach (var (key, value) in other)
            Add(key, value);
    }

    public EntryMap With(IEnumerable<TreeEdit> edits)
    {
        var map = new EntryMap(this);
        foreach (var edit in edits)
        {
            if (edit.Value is { } value)
                map[edit.Key] = value;
            else
                map.Remove(edit.Key);
        }

        return map;
    }

    /// <summary>The tree a builder makes of this map.</summary>
    public BuiltTree Build()
    {
        var nodes = new List<EncodedNode>();
        var builder = new TreeBuilder(nodes.Add);
        foreach (var (key, value) in this)
            builder.Append(key, value);
        return new BuiltTree(builder.Finish(), nodes);
    }
}

/// <summary>A tree with all its nodes, which counts how many of them are read.</summary>
internal sealed class BuiltTree : INodeSource
{
    private readonly Dictionary<Digest, EncodedNode> _nodes;

    public BuiltTree(Digest root, IReadOnlyList<EncodedNode> nodes)
    {
        Root = root;
        Nodes = nodes;
        _nodes = nodes.ToDictionary(node => node.Digest);
    }

    public Digest Root { get; }

    /// <summary>As they were handed out.</summary>
    public IReadOnlyList<EncodedNode> Nodes { get; }

    public int Reads { get; private set; }

    public int Height => _nodes[Root].Level + 1;

    public bool Has(Digest digest) => _nodes.ContainsKey(digest);

    public ReadOnlyMemory<byte> Read(Digest digest)
    {
        Reads++;
        return _nodes.TryGetValue(digest, out var node) ? node.Bytes : throw new NodeMissingException(digest);
    }

    public EditedTree Apply(params TreeEdit[] edits) => TreeEditor.Apply(this, Root, edits);

    /// <summary>The tree after the edits, of the nodes it consists of.</summary>
    public BuiltTree After(EditedTree edited)
    {
        var created = edited.Created.ToDictionary(node => node.Digest);
        var nodes = new List<EncodedNode>();
        Collect(edited.Root, digest => created.TryGetValue(digest, out var node) ? node : _nodes[digest], nodes);
        return new BuiltTree(edited.Root, nodes);
    }

    private static void Collect(Digest digest, Func<Digest, EncodedNode> read, List<EncodedNode> nodes)
    {
        var encoded = read(digest);
        var node = TreeNode.Decode(encoded.Bytes);
        for (var i = 0; !node.IsLeaf && i < node.Count; i++)
            Collect(node.Child(i), read, nodes);
        nodes.Add(encoded);
    }
}
