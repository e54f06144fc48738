using Telemetry.Agent.Linux;
using Telemetry.Agent.Watch;
using Telemetry.Testing;

namespace Telemetry.Agent.Tests.Watch;

[Collection("Mounts")]
public sealed class WatchedMountsTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly WatchedMounts _mounts = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void TryOpen_AfterTheDirectoryWasRenamed_OpensItsFilesystemAllTheSame()
    {
        Directory.CreateDirectory(_folder["entered"]);
        var id = Add(_folder["entered"]);

        Directory.Move(_folder["entered"], _folder["elsewhere"]);

        Assert.True(IsOpened(id));
        Assert.False(_mounts.TakeLost());
    }

    [Fact]
    public void TryOpen_OfWhatWasNeverAdded_IsNoLoss()
    {
        Assert.False(IsOpened(4711));
        Assert.False(_mounts.TakeLost());
    }

    [Fact]
    public void TryOpen_AfterAFolderAboveTheMountWasRenamed_IsLostOnceUntilAddedAgain()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting needs root");
        Directory.CreateDirectory(_folder["above/with space"]);
        Shell.Run(_folder.Path, "mount -t tmpfs none 'above/with space'; mkdir 'above/with space/entered'");
        try
        {
            var id = Add(_folder["above/with space/entered"]);
            Directory.Move(_folder["above/with space/entered"], _folder["above/with space/moved"]);
            Assert.True(IsOpened(id));

            Directory.Move(_folder["above"], _folder["renamed"]);

            Assert.False(IsOpened(id));
            Assert.False(IsOpened(id));
            Assert.Equal([true, false], new[] { _mounts.TakeLost(), _mounts.TakeLost() });
            Assert.Equal(id, Add(_folder["renamed/with space"]));
            Assert.True(IsOpened(id));
        }
        finally
        {
            Shell.Run(_folder.Path, "umount */'with space'");
        }
    }

    private ulong Add(string path)
    {
        Assert.Equal(0, OpenFile.Root([.. System.Text.Encoding.UTF8.GetBytes(path), 0], out var directory));
        var id = FilesystemType.IdOf(directory);
        _mounts.Add(id, directory);
        OpenFile.Close(directory);
        return id;
    }

    private bool IsOpened(ulong id)
    {
        if (!_mounts.TryOpen(id, out var directory))
            return false;
        Assert.Equal(id, FilesystemType.IdOf(directory));
        OpenFile.Close(directory);
        return true;
    }
}
