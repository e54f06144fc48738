using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests.Fleet;

public sealed class SharedSearchTests
{
    [Fact]
    public void First_InTreesThatShareNodes_ReadsEachOfTheWayOnce()
    {
        var tree = FileTree.OfSize(5_000);
        var nodes = new CountingNodes();
        var roots = new List<Digest>();
        for (var version = 0; version < 50; version++)
        {
            // Far from what is looked for.
            tree["/srv/9/9"] = Some.File($"{version}");
            roots.Add(nodes.Keep(tree));
        }

        var search = new SharedSearch(EntryKey.OfPath("/srv/1/1"), _ => true);
        Assert.All(roots.Concat(roots), root => Assert.Equal(Some.File("content 1"), search.First(nodes, root)!.Value.Fingerprint));

        Assert.InRange(nodes.Reads, 50, 60);
    }

    [Fact]
    public void All_OfAContent_AreThoseThatHaveIt_AndLeavesThatDoNotAreNotRead()
    {
        var tree = FileTree.OfSize(5_000);
        tree["/srv/9/9"] = tree["/srv/61/4232"] = Some.File("same");
        var nodes = new CountingNodes();
        var root = nodes.Keep(tree);
        var everywhere = Search(null).All(nodes, root).ToList();
        var reads = nodes.Reads;
        var leaves = nodes.LeavesWith(Some.File("same").Content!.Value);

        var known = Search(leaves.Contains).All(nodes, root).ToList();

        Assert.Equal([EntryKey.OfPath("/srv/61/4232"), EntryKey.OfPath("/srv/9/9")], everywhere.Select(entry => entry.Key));
        Assert.Equal(everywhere.Select(entry => entry.Key), known.Select(entry => entry.Key));
        Assert.True(nodes.Reads - reads < reads / 4, $"{nodes.Reads - reads} of {reads} nodes were read");
        Assert.Null(Search(null, "content 5000").First(nodes, root));
        Assert.Empty(Search(null).All(nodes, EncodedNode.Empty.Digest));

        SharedSearch Search(Predicate<Digest>? mayHold, string content = "same") =>
            new(null, value => Fingerprint.Decode(value).Content == Some.File(content).Content, mayHold);
    }

    [Fact]
    public void First_OfAKey_IsThatEntry()
    {
        var nodes = new CountingNodes();
        var root = nodes.Keep(FileTree.OfSize(5_000));

        Assert.Equal(EntryKey.OfPath("/srv/1/1"), new SharedSearch(EntryKey.OfPath("/srv/1/1"), _ => true).First(nodes, root)!.Value.Key);
        Assert.Null(new SharedSearch(EntryKey.OfPath("/srv/none"), _ => true).First(nodes, root));
        Assert.Null(new SharedSearch(EntryKey.OfPath("/srv/1/1"), _ => false).First(nodes, root));
    }

    private sealed class CountingNodes : INodeSource
    {
        private readonly Dictionary<Digest, byte[]> _nodes = new() { [EncodedNode.Empty.Digest] = EncodedNode.Empty.Bytes };

        public int Reads { get; private set; }

        public Digest Keep(FileTree tree)
        {
            var (roots, nodes) = tree.Build();
            foreach (var (digest, bytes) in nodes)
                _nodes[digest] = bytes;
            return roots.File;
        }

        public HashSet<Digest> LeavesWith(Digest content) =>
            [.. _nodes.Where(node => TreeNode.Decode(node.Value).IsLeaf && node.Value.AsSpan().IndexOf(content.ToArray()) >= 0).Select(node => node.Key)];

        public ReadOnlyMemory<byte> Read(Digest digest)
        {
            Reads++;
            return _nodes[digest];
        }
    }
}
