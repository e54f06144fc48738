using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Linux;

public sealed class RootedTreeTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly RootedTree _tree;

    public RootedTreeTests()
    {
        _folder.Write("outside/secret", "secret");
        _folder.Write("root/etc/hosts", "localhost");
        File.CreateSymbolicLink(_folder["root/away"], _folder["outside"]);
        File.CreateSymbolicLink(_folder["root/etc/link"], "hosts");
        Assert.Equal(0, RootedTree.Open(_folder["root"], out var tree));
        _tree = tree!;
    }

    public void Dispose()
    {
        _tree.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void File_BelowTheRoot_IsOpened()
    {
        Assert.Equal(0, _tree.File(EntryKey.OfPath("etc/hosts").Bytes, out var file, out var status));
        using (file)
            Assert.Equal(9UL, status.Size);
    }

    [Theory]
    [InlineData("away/secret", Errno.NotADirectory)]
    [InlineData("etc/link", Errno.Loop)]
    [InlineData("../outside/secret", Errno.Invalid)]
    [InlineData("etc/..", Errno.Invalid)]
    [InlineData("etc", Errno.Invalid)]
    [InlineData("nothing/here", Errno.NoEntry)]
    public void File_ThatIsNoneBelowTheRoot_IsRefused(string path, int errno)
    {
        Assert.Equal(errno, _tree.File(EntryKey.OfPath(path).Bytes, out _, out _));
    }

    [Fact]
    public void Status_OfALink_IsItsOwn()
    {
        Assert.Equal(0, _tree.Status(EntryKey.OfPath("etc/link").Bytes, out var status));
        Assert.Equal(0, _tree.Link(EntryKey.OfPath("etc/link").Bytes, out var target));

        Assert.Equal(FileType.Symlink, status.Type);
        Assert.Equal("hosts"u8.ToArray(), target);
    }

    [Fact]
    public void Names_AskedTwice_AreTheSame()
    {
        Assert.Equal(0, _tree.Names(EntryKey.Root.Bytes, out var first));
        Assert.Equal(0, _tree.Names(EntryKey.Root.Bytes, out var second));

        Assert.Equal(["away", "etc"], first.Select(name => System.Text.Encoding.UTF8.GetString(name)));
        Assert.Equal(first, second);
    }
}
