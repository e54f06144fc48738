using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

/// <summary>Trees of files, packages and settings in memory, with their nodes in the order a builder gives them.</summary>
internal sealed class FileTree
{
    private readonly SortedDictionary<EntryKey, Fingerprint> _entries = [];
    private readonly SortedDictionary<EntryKey, Fingerprint> _packages = [];
    private readonly SortedDictionary<EntryKey, Fingerprint> _settings = [];

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

    /// <summary>Puts a setting, named as people do: <c>/etc/hosts#name</c>; null takes it away.</summary>
    public FileTree Setting(string name, string? value)
    {
        var key = KeyText.Parse("setting:" + name).Key;
        if (value is null)
            _settings.Remove(key);
        else
            _settings[key] = new Fingerprint().WithValue(System.Text.Encoding.UTF8.GetBytes(value));
        return this;
    }

    /// <summary>Puts an entry of any kind, named as people do; null takes it away.</summary>
    public void Put(string name, Fingerprint? fingerprint)
    {
        var (kind, key) = KeyText.Parse(name);
        var entries = kind switch
        {
            EntryKind.File => _entries,
            EntryKind.Package => _packages,
            EntryKind.Setting => _settings,
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
        if (fingerprint is null)
            entries.Remove(key);
        else
            entries[key] = fingerprint;
    }

    /// <summary>Another tree that begins with what this one has.</summary>
    public FileTree Copy()
    {
        var copy = new FileTree();
        foreach (var (from, to) in new[] { (_entries, copy._entries), (_packages, copy._packages), (_settings, copy._settings) })
        {
            foreach (var (key, fingerprint) in from)
                to[key] = fingerprint;
        }

        return copy;
    }

    public void Remove(string path) => _entries.Remove(EntryKey.OfPath(path));

    public (Roots Roots, IReadOnlyDictionary<Digest, byte[]> Nodes) Build()
    {
        var nodes = new Dictionary<Digest, byte[]> { [EncodedNode.Empty.Digest] = EncodedNode.Empty.Bytes };
        var roots = Roots.Empty
            .With(EntryKind.File, Root(_entries))
            .With(EntryKind.Package, Root(_packages))
            .With(EntryKind.Setting, Root(_settings));
        return (roots, nodes);

        Digest Root(SortedDictionary<EntryKey, Fingerprint> entries)
        {
            var builder = new TreeBuilder(node => nodes[node.Digest] = node.Bytes);
            foreach (var (key, fingerprint) in entries)
                builder.Append(key, fingerprint);
            return builder.Finish();
        }
    }
}
