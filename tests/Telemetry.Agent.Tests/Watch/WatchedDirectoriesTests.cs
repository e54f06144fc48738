using Telemetry.Agent.Watch;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Tests.Watch;

public sealed class WatchedDirectoriesTests
{
    private readonly WatchedDirectories _directories = new();

    [Fact]
    public void DirectoryReadAtItsNewPlace_HasItsNewKey()
    {
        _directories.Set(1, "a\0b"u8);

        _directories.Set(1, "z\0b"u8);

        Assert.True(_directories.TryFind(1, out var key));
        Assert.Equal(EntryKey.Of("z", "b"), key);
        Assert.Equal(1, _directories.Count);
    }

    [Fact]
    public void RemoveBelow_TakesWholeComponentsOnly()
    {
        _directories.Set(1, "a"u8);
        _directories.Set(2, "a\0b\0c"u8);
        _directories.Set(3, "ab"u8);
        _directories.Set(4, ""u8);

        var removed = _directories.RemoveBelow(new HashSet<EntryKey> { EntryKey.Of("a"), EntryKey.Of("x") });

        Assert.Equal([1, 2], removed.Order());
        Assert.Equal(2, _directories.Count);
    }

    [Fact]
    public void RemoveBelow_TheRoot_TakesAll()
    {
        _directories.Set(1, "a"u8);
        _directories.Set(2, ""u8);

        Assert.Equal([1, 2], _directories.RemoveBelow(new HashSet<EntryKey> { EntryKey.Root }).Order());
    }
}
