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

        var search = new SharedSearch(nodes, [EntryKey.OfPath("/srv/1/1")], _ => true);
        Assert.All(roots.Concat(roots), root => Assert.Equal(Some.File("content 1"), search.First(root)!.Value.Fingerprint));

        Assert.InRange(nodes.Reads, 50, 60);
    }

    [Fact]
    public void First_OfManyKeys_IsTheFirstThatIsThereAndWanted()
    {
        var nodes = new CountingNodes();
        var root = nodes.Keep(FileTree.OfSize(5_000));
        var keys = Enumerable.Range(0, 5_000).Select(i => EntryKey.OfPath($"/srv/{i % 97}/{i}")).Append(EntryKey.OfPath("/srv/none")).Order().ToList();

        Assert.Equal(EntryKey.OfPath("/srv/61/4232"), Search("content 4232").First(root)!.Value.Key);
        Assert.Null(Search("content 5000").First(root));
        Assert.Equal(keys[0], new SharedSearch(nodes, keys, _ => true).First(root)!.Value.Key);
        Assert.Null(new SharedSearch(nodes, [EntryKey.OfPath("/srv/none")], _ => true).First(root));
        Assert.Null(new SharedSearch(nodes, keys, _ => true).First(EncodedNode.Empty.Digest));

        SharedSearch Search(string content) =>
            new(nodes, keys, value => Fingerprint.Decode(value).Content == Some.File(content).Content);
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

        public ReadOnlyMemory<byte> Read(Digest digest)
        {
            Reads++;
            return _nodes[digest];
        }
    }
}
