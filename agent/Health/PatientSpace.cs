using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary>Asks a filesystem how full it is; may hang for as long as another machine is away.</summary>
/// <param name="path">Ends with 0x00.</param>
/// <returns>0 or an errno.</returns>
internal delegate int SpaceOf(ReadOnlySpan<byte> path, out FilesystemSpace space);

/// <summary>
/// Asks filesystems for their space, and waits for none for long: those that may be on other machines are asked in threads of their
/// own. One that hangs is not asked again before it came back, so it costs one thread.
/// </summary>
internal sealed class PatientSpace(SpaceOf ask)
{
    /// <summary>All together; less than a probe may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly HashSet<string> Local = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "msdos", "exfat", "ntfs3", "jfs", "reiserfs", "zfs", "bcachefs"];

    private readonly Dictionary<string, Task<(int Errno, FilesystemSpace Space)>> _asked = [];

    /// <returns>Each with its errno, null when it does not answer.</returns>
    public List<(MountedDisk Disk, int? Errno, FilesystemSpace Space)> Of(IReadOnlyList<MountedDisk> disks)
    {
        var answers = new List<(MountedDisk, int?, FilesystemSpace)>(disks.Count);
        var fresh = new List<Task>();
        foreach (var disk in disks)
        {
            if (Local.Contains(disk.Type))
            {
                answers.Add((disk, ask(disk.Path, out var space), space));
                continue;
            }

            var path = disk.Tags[0].Value;
            if (!_asked.ContainsKey(path))
                fresh.Add(_asked[path] = Task.Factory.StartNew(() => (ask(disk.Path, out var found), found), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        }

        if (fresh.Count > 0)
            Task.WaitAll([.. fresh], Patience);
        foreach (var disk in disks)
        {
            if (Local.Contains(disk.Type) || !_asked.TryGetValue(disk.Tags[0].Value, out var answer))
                continue;
            if (!answer.IsCompleted)
            {
                answers.Add((disk, null, default));
                continue;
            }

            _asked.Remove(disk.Tags[0].Value);
            var (errno, space) = answer.GetAwaiter().GetResult();
            answers.Add((disk, errno, space));
        }

        return answers;
    }
}
