using FsCheck.Xunit;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Tests.Model;

public sealed class EntryKeyTests
{
    [Fact]
    public void Order_OfPaths_IsDepthFirstDirectoryOrder()
    {
        string[] paths = ["/", "/a", "/a/b", "/a/b/c", "/a/c", "/a!", "/a-b", "/a.d/x", "/aa", "/b"];

        var keys = paths.Select(EntryKey.OfPath).ToArray();

        Assert.Equal(keys, keys.Reverse().Order());
    }

    [Property]
    public void Order_OfRandomPaths_IsThatOfTheirComponents(byte[][] left, byte[][] right)
    {
        var (first, second) = (Components(left), Components(right));

        var byComponent = first.Zip(second, (a, b) => a.AsSpan().SequenceCompareTo(b)).FirstOrDefault(order => order != 0);
        var expected = byComponent != 0 ? byComponent : first.Length.CompareTo(second.Length);

        Assert.Equal(Math.Sign(expected), Math.Sign(KeyOf(first).CompareTo(KeyOf(second))));
    }

    [Theory]
    [InlineData("/etc", "/etc", true)]
    [InlineData("/etc/ssh/sshd_config", "/etc", true)]
    [InlineData("/etc/ssh/sshd_config", "/etc/ssh", true)]
    [InlineData("/etcetera", "/etc", false)]
    [InlineData("/et", "/etc", false)]
    [InlineData("/usr", "/etc", false)]
    [InlineData("/etc", "/", true)]
    [InlineData("/", "/", true)]
    [InlineData("/", "/etc", false)]
    public void IsUnder_OfAPrefix_CountsWholeComponents(string key, string prefix, bool expected) =>
        Assert.Equal(expected, EntryKey.OfPath(key).IsUnder(EntryKey.OfPath(prefix)));

    [Fact]
    public void OfPath_WithSlashesTooMany_IsTheSameKey()
    {
        Assert.Equal(EntryKey.Of("etc", "ssh"), EntryKey.OfPath("//etc///ssh/"));
        Assert.Equal(EntryKey.Root, EntryKey.OfPath("/"));
    }

    [Fact]
    public void Child_OfAKey_IsUnderIt()
    {
        Assert.Equal(EntryKey.Of("etc"), EntryKey.Root.Child("etc"u8));
        Assert.Equal(EntryKey.Of("etc", "ssh"), EntryKey.Of("etc").Child("ssh"u8));
    }

    [Fact]
    public void Equality_OfTheDefaultKey_IsThatOfTheRoot()
    {
        Assert.Equal(new EntryKey([]), default);
        Assert.Equal(new EntryKey([]).GetHashCode(), default(EntryKey).GetHashCode());
        Assert.True(default(EntryKey).IsRoot);
    }

    [Fact]
    public void ToString_OfAHostileName_IsEscaped() =>
        Assert.Equal(@"tmp/\x1b[31mred", EntryKey.Of("tmp", "\u001b[31mred").ToString());

    private static byte[][] Components(byte[][] raw) =>
        [.. raw.Select(component => component.Where(value => value != 0).ToArray()).Where(component => component.Length > 0)];

    private static EntryKey KeyOf(byte[][] components) =>
        components.Aggregate(EntryKey.Root, (key, component) => key.Child(component));
}
