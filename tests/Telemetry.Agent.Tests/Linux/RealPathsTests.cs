using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Linux;

public sealed class RealPathsTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/usr/bin/ls", "/usr/bin/ls")]
    [InlineData("/bin/ls", "/usr/bin/ls")]                 // as usrmerge leaves it
    [InlineData("bin//./ls", "/usr/bin/ls")]
    [InlineData("/bin", "/bin")]                           // the link itself
    [InlineData("/var/run/x", "/run/x")]                   // an absolute target is below the root
    [InlineData("/sbin/far/x", "/usr/bin/x")]              // links behind links, and back
    [InlineData("/above/etc/x", "/etc/x")]                 // .. ends at the root
    [InlineData("/nothing/here", "/nothing/here")]
    [InlineData("/usr/bin/file/x", "/usr/bin/file/x")]
    [InlineData("/.", "/")]
    public void Of_APath_IsWhereItReallyLies(string path, string real)
    {
        Shell.Run(_folder.Path, """
            mkdir -p usr/bin usr/sbin run etc var
            touch usr/bin/file
            ln -s usr/bin bin
            ln -s usr/sbin sbin
            ln -s /run var/run
            ln -s ../../bin usr/sbin/far
            ln -s ../../../../.. above
            """);

        Assert.Equal(real, KeyText.Format(EntryKind.File, Of(path)!.Value.Bytes));
    }

    [Fact]
    public void Of_ACircleOfLinks_ComesToAnEnd()
    {
        Shell.Run(_folder.Path, "ln -s b a; ln -s a b");

        Assert.NotNull(Of("/a/x"));
    }

    [Theory]
    [InlineData(257, 1)]
    [InlineData(20, 300)]
    public void Of_APathDeeperOrLongerThanAnyIs_IsNone(int depth, int length)
    {
        Assert.Null(Of(string.Concat(Enumerable.Repeat("/" + new string('x', length), depth))));
    }

    [Fact]
    public void Of_APathThatGoesUp_IsNone()
    {
        Assert.Null(Of("/usr/../../etc/passwd"));
    }

    private EntryKey? Of(string path)
    {
        Assert.Equal(0, RootedTree.Open(_folder.Path, out var tree));
        using (tree)
            return new RealPaths(tree!).Of(Encoding.UTF8.GetBytes(path));
    }
}
