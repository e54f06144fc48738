using Telemetry.Agent.Linux;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Scan;

public sealed class WatchedPartsTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void DirectoryWithinAFilesystem_IsToldAsTheHighestOfItBelowTheRoot()
    {
        Directory.CreateDirectory(_root["a/b/c"]);
        var device = OpenFile.StatusOf(_root["a/b/c"])!.Value.Device;
        var watched = new WatchedParts(_root.Path);

        watched.Set(device, EntryKey.Of("a", "b", "c"), WatchMethod.Fanotify, "");

        Assert.Equal([new WatchedPart(EntryKey.Root, WatchMethod.Fanotify, "")], watched.All);
    }

    [Fact]
    public void Mount_IsToldAsItself()
    {
        var watched = new WatchedParts("/");

        watched.Set(OpenFile.StatusOf("/proc/sys")!.Value.Device, EntryKey.Of("proc", "sys"), WatchMethod.Scans, "not here");

        Assert.Equal([new WatchedPart(EntryKey.Of("proc"), WatchMethod.Scans, "not here")], watched.All);
    }

    [Theory]
    [InlineData(WatchMethod.Fanotify, true)]
    [InlineData(WatchMethod.FanotifyWithoutRename, true)]
    [InlineData(WatchMethod.Inotify, true)]
    [InlineData(WatchMethod.InotifyAndScans, false)]
    [InlineData(WatchMethod.Scans, false)]
    public void OneOfTwo_DecidesWhetherAllIsWatched(WatchMethod method, bool isComplete)
    {
        var watched = new WatchedParts(_root.Path);
        Assert.False(watched.IsComplete);

        watched.Set(1, EntryKey.Root, WatchMethod.Fanotify, "");
        watched.Set(2, EntryKey.Of("a"), method, "");

        Assert.Equal(isComplete, watched.IsComplete);
    }
}
