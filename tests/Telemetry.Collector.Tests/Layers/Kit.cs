using System.Collections.Immutable;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Compare;
using Telemetry.Collector.Layers;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Tests.Layers;

/// <summary>A base in memory, layers made of it, and what comes of them.</summary>
internal sealed class Kit
{
    private readonly MemoryNodes _nodes = new();
    private readonly FileTree _base;

    public Kit(FileTree start)
    {
        _base = start;
        Start = new LayerBase("base:1", "base", Keep(start));
    }

    public LayerBase Start { get; }

    public INodeSource Nodes => _nodes;

    public Policy Policy { get; set; } = ShippedPolicies.Default;

    /// <summary>The layer that does to the base what is done here.</summary>
    public Layer Layer(string name, Action<FileTree> change, string claims = "", FileTree? on = null)
    {
        var changed = (on ?? _base).Copy();
        change(changed);
        return Layer(name, Keep(on ?? _base), Keep(changed), claims);
    }

    public Layer Layer(string name, Roots from, Roots to, string claims = "")
    {
        var changes = EntryKinds.All.SelectMany(kind =>
            TreeDifference.Between(_nodes, from[kind], _nodes, to[kind]).Select(change => new Difference(kind, change)));
        var trees = LayerTrees.Of(changes);
        foreach (var node in trees.Nodes)
            _nodes.Add(node);
        return new Layer(0, new VersionName(name, "1"), name + "-vendor", trees.Before, trees.After, claims, "", Some.Time);
    }

    public Composed Compose(params Layer[] layers) => Compose(ImmutableDictionary<string, string>.Empty, layers);

    public Composed Compose(IReadOnlyDictionary<string, string> resolutions, params Layer[] layers)
    {
        var composed = new Composition(_nodes, Start, layers, Policy, resolutions).Run();
        foreach (var node in composed.Created)
            _nodes.Add(node);
        return composed;
    }

    public Roots Keep(FileTree tree)
    {
        var (roots, nodes) = tree.Build();
        foreach (var (digest, bytes) in nodes)
        {
            var node = TreeNode.Decode(bytes);
            _nodes.Add(new EncodedNode(digest, node.Level, node.Count, node.Count == 0 ? [] : node.Key(0).ToArray(), bytes));
        }

        return roots;
    }

    public Fingerprint? Find(Roots roots, string name)
    {
        var (kind, key) = KeyText.Parse(name);
        return TreeReader.Find(_nodes, roots[kind], key);
    }
}
