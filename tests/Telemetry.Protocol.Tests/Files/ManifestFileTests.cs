using System.Buffers.Binary;
using System.Diagnostics;
using Google.Protobuf;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Tests.Model;

namespace Telemetry.Protocol.Tests.Files;

public sealed class ManifestFileTests : IDisposable
{
    private static readonly DateTimeOffset Time = new(2026, 3, 3, 12, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("telemetry-test-");

    private string Name => Path.Combine(_folder.FullName, "a.manifest");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Open_OfAWrittenFile_GivesBackHeadAndEntries()
    {
        var map = Some.Files(2000);
        var head = Write(map);

        using var file = ManifestFile.Open(Name);

        Assert.Equal(head, file.Head);
        Assert.Equal(2000, file.Entries);
        Assert.Equal(
            map.Select(entry => (new EntryKey(entry.Key), Convert.ToHexString(entry.Value))),
            TreeReader.Entries(file, file.Head.Roots.File).Select(entry => (entry.Key, Convert.ToHexString(entry.Value))));
        Assert.Empty(TreeReader.Entries(file, file.Head.Roots.Package));
    }

    [Fact]
    public void Nodes_OfAWrittenFile_ComeChildrenFirst()
    {
        Write(Some.Files(500));

        using var file = ManifestFile.Open(Name);
        var seen = new HashSet<Digest>();
        foreach (var bytes in file.Nodes())
        {
            var node = TreeNode.Decode(bytes);
            Assert.All(Enumerable.Range(0, node.IsLeaf ? 0 : node.Count), i => Assert.Contains(node.Child(i), seen));
            seen.Add(TreeNode.DigestOf(bytes.Span));
        }

        Assert.Contains(file.Head.Roots.File, seen);
    }

    [Fact]
    public void Read_OfANodeItDoesNotHave_SaysSo()
    {
        Write(Some.Files(10));

        using var file = ManifestFile.Open(Name);

        Assert.Throws<NodeMissingException>(() => file.Read(Digest.Of([1])));
    }

    [Fact]
    public void Open_OfAFileThatIsNotThere_SaysHowToMakeIt() => Refuses("does not exist; make it with 'telemetry-agent scan'.");

    [Fact]
    public void Open_OfADirectory_SaysSo()
    {
        Directory.CreateDirectory(Name);

        Refuses("is a directory, not a manifest.");
    }

    [Theory]
    [InlineData("")]
    [InlineData("TLM")]
    [InlineData("#!/bin/sh\necho this is something else\n")]
    public void Open_OfAForeignFile_SaysThatItIsNone(string content)
    {
        File.WriteAllText(Name, content);

        Refuses("is not a manifest; make one with 'telemetry-agent scan'.");
    }

    [Fact]
    public void Open_OfAFileCutAnywhere_IsRefused()
    {
        Write(Some.Files(20));
        var bytes = File.ReadAllBytes(Name);

        foreach (var length in Enumerable.Range(0, bytes.Length).Where(length => length < 100 || length % 5 == 0 || length > bytes.Length - 100))
        {
            File.WriteAllBytes(Name, bytes[..length]);
            Refuses(length < 8 ? "is not a manifest" : "is cut short; scan again.");
        }
    }

    [Fact]
    public void Open_OfAFileWithABitFlippedInItsNodes_IsRefused()
    {
        var head = Write(Some.Files(20));
        var bytes = File.ReadAllBytes(Name);
        var nodesEnd = bytes.Length - head.ToMessage().CalculateSize() - 8;

        // Every bit of every node is flipped elsewhere; here it is the file that must notice.
        for (var bit = 0; bit < nodesEnd * 8; bit += 17)
        {
            var damaged = bytes.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(Name, damaged);
            Refuses("");
        }
    }

    [Fact]
    public void Open_OfAFileWithABitFlippedInItsHead_IsRefusedOrOpens()
    {
        var head = Write(Some.Files(20));
        var bytes = File.ReadAllBytes(Name);
        var headLength = head.ToMessage().CalculateSize();

        for (var bit = (bytes.Length - headLength - 8) * 8; bit < bytes.Length * 8; bit += 3)
        {
            var damaged = bytes.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(Name, damaged);
            try
            {
                ManifestFile.Open(Name).Dispose();
            }
            catch (ManifestFileException refusal)
            {
                Assert.StartsWith(Name + " is ", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Open_OfAFileWithBytesBehindItsEnd_IsRefused()
    {
        Write(Some.Files(20));
        File.AppendAllText(Name, "x");

        Refuses("is damaged: bytes follow its end.");
    }

    [Fact]
    public void Open_OfAFileThatLacksATree_NamesTheTree()
    {
        var head = Head(Roots.Empty.With(EntryKind.Package, Digest.Of([1])));
        using (var writer = new ManifestFileWriter(Name))
            writer.Complete(head);

        Refuses("is damaged: its package tree is not complete.");
    }

    [Fact]
    public void Open_OfARootWithOneChild_IsRefused()
    {
        var leaf = NodeBytes.Leaf(Some.Utf8("a"));
        var root = NodeBytes.Node(1, (Some.Utf8("a"), TreeNode.DigestOf(leaf).ToArray()));
        WriteRaw(Head(Roots.Empty.With(EntryKind.File, TreeNode.DigestOf(root))), EncodedNode.Empty.Bytes, leaf, root);

        Refuses("its file tree is not complete");
    }

    [Fact]
    public void Open_OfAParentBeforeItsChild_IsRefused()
    {
        var tree = Some.Files(60).Build();
        WriteRaw(Head(Roots.Empty), [EncodedNode.Empty.Bytes, .. tree.Nodes.Reverse().Select(node => node.Bytes)]);

        Refuses("is damaged: Node ");
    }

    [Fact]
    public void Open_OfABlockOfAbsurdLength_IsRefused()
    {
        File.WriteAllBytes(Name, [.. "TLMMAN\0\u0001"u8, 0xff, 0xff, 0xff, 0x7f]);

        Refuses("is damaged");
    }

    [Fact]
    public void Read_OfAFileCutWhileOpen_SaysSo()
    {
        var head = Write(Some.Files(500));
        using var file = ManifestFile.Open(Name);
        using (var truncate = Process.Start("truncate", ["--size=100", Name]))
            truncate.WaitForExit();

        var error = Assert.Throws<ManifestFileException>(() => file.Read(head.Roots.File));

        Assert.Contains("cut short while it was in use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Writer_DisposedBeforeItIsComplete_LeavesNothing()
    {
        using (var writer = new ManifestFileWriter(Name))
            Some.Files(5000).Build().Nodes.ToList().ForEach(writer.Add);

        Assert.Empty(_folder.GetFileSystemInfos());
    }

    [Fact]
    public void Writer_DisposedBeforeItIsComplete_KeepsTheFileThatWasThere()
    {
        var head = Write(Some.Files(10));

        using (var writer = new ManifestFileWriter(Name))
            writer.Add(EncodedNode.Empty);

        using var file = ManifestFile.Open(Name);
        Assert.Equal(head, file.Head);
    }

    [Fact]
    public void Writer_WhenComplete_LeavesOnlyTheFile()
    {
        Write(Some.Files(10));
        Write(Some.Files(11));

        Assert.Equal(Name, Assert.Single(_folder.GetFileSystemInfos()).FullName);
    }

    private static ManifestHead Head(Roots roots) => new(roots, Coverage.Nothing, Time, "test");

    private ManifestHead Write(EntryMap map)
    {
        var tree = map.Build();
        var head = Head(Roots.Empty.With(EntryKind.File, tree.Root));
        using var writer = new ManifestFileWriter(Name);
        foreach (var node in tree.Nodes)
            writer.Add(node);
        writer.Complete(head);
        return head;
    }

    private void WriteRaw(ManifestHead head, params byte[][] nodes)
    {
        byte[][] blocks = [.. nodes, [], head.ToMessage().ToByteArray()];
        using var stream = File.Create(Name);
        stream.Write("TLMMAN\0\u0001"u8);
        var length = new byte[4];
        foreach (var block in blocks)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, block.Length);
            stream.Write(length);
            stream.Write(block);
        }
    }

    private void Refuses(string sentence)
    {
        var refusal = Assert.Throws<ManifestFileException>(() => ManifestFile.Open(Name));

        Assert.StartsWith(Name + " ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(sentence, refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
        Assert.False(refusal.Message.EndsWith("..", StringComparison.Ordinal));
    }
}
