using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

/// <summary>A tree of files in memory, with its nodes in the order a builder gives them.</summary>
internal sealed class FileTree
{
    private readonly SortedDictionary<EntryKey, Fingerprint> _entries = [];

    public static FileTree OfSize(int count)
    {
        var tree = new FileTree();
        for (var i = 0; i < count; i++)
            tree[$"/srv/{i % 97}/{i}"] = Some.File($"content {i}");
        return tree;
    }

    public Fingerprint this[string path]
    {
        set => _entries[EntryKey.OfPath(path)] = value;
    }

    public void Remove(string path) => _entries.Remove(EntryKey.OfPath(path));

    public (Roots Roots, IReadOnlyDictionary<Digest, byte[]> Nodes) Build()
    {
        var nodes = new Dictionary<Digest, byte[]> { [EncodedNode.Empty.Digest] = EncodedNode.Empty.Bytes };
        var builder = new TreeBuilder(node => nodes[node.Digest] = node.Bytes);
        foreach (var (key, fingerprint) in _entries)
            builder.Append(key, fingerprint);
        return (Roots.Empty.With(EntryKind.File, builder.Finish()), nodes);
    }
}
