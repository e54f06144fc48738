using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Watch;

/// <summary>
/// Where the watched filesystems are mounted. None is held open, which would keep people from unmounting it. For several threads.
/// </summary>
internal sealed class WatchedMounts
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, byte[][]> _waysIn = [];
    private bool _hasLost;

    /// <summary>A filesystem is watched, or mounted at another place now.</summary>
    /// <param name="id">As events name it: see <see cref="FilesystemType.IdOf"/>.</param>
    /// <param name="directory">Open. It may be renamed later; where its filesystem is mounted, can't.</param>
    public void Add(ulong id, int directory)
    {
        byte[][] waysIn = [.. new[] { MountPointOf(directory), PathOf(directory) }.OfType<byte[]>().Select(path => (byte[])[.. path, 0])];
        if (waysIn.Length == 0)
            return;  // without /proc
        lock (_gate)
            _waysIn[id] = waysIn;
    }

    /// <summary>Opens a directory of a filesystem, for the caller to close.</summary>
    /// <returns>False when it is not watched, or not mounted there any more.</returns>
    public bool TryOpen(ulong id, out int directory)
    {
        directory = -1;
        byte[][]? waysIn;
        lock (_gate)
            _waysIn.TryGetValue(id, out waysIn);
        if (waysIn is null)
            return false;

        foreach (var path in waysIn)
        {
            if (OpenFile.Root(path, out directory) != 0)
                continue;
            if (FilesystemType.IdOf(directory) == id)
                return true;
            OpenFile.Close(directory);
        }

        directory = -1;
        lock (_gate)
        {
            if (_waysIn.Remove(id))
                _hasLost = true;
        }

        return false;
    }

    /// <summary>Whether the way into some filesystem was lost since this was asked last: events of it name nothing until it is added again.</summary>
    public bool TakeLost()
    {
        lock (_gate)
        {
            var hasLost = _hasLost;
            _hasLost = false;
            return hasLost;
        }
    }

    private static byte[]? PathOf(int directory) =>
        LinkTarget.Read(-1, Encoding.ASCII.GetBytes($"/proc/self/fd/{directory}\0"), out var path) == 0 ? path : null;

    /// <summary>By the mount's id: proc_pid_fdinfo(5), proc_pid_mountinfo(5).</summary>
    private static byte[]? MountPointOf(int directory)
    {
        using var self = KernelFiles.Open("/proc/self");
        if (self is null
            || self.Read(Encoding.ASCII.GetBytes($"fdinfo/{directory}\0"), out var about) != 0
            || self.Read("mountinfo\0"u8, out var mounts) != 0)
            return null;

        ReadOnlySpan<byte> label = "mnt_id:\t"u8;
        var id = about.AsSpan(Math.Max(about.AsSpan().IndexOf(label), 0));
        if (!id.StartsWith(label))
            return null;
        id = id[label.Length..];
        id = id[..Math.Max(id.IndexOf((byte)'\n'), 0)];
        foreach (var range in mounts.AsSpan().Split((byte)'\n'))
        {
            var line = mounts.AsSpan(range);
            var rest = (ReadOnlySpan<byte>)line;
            if (Columns.Next(ref rest).SequenceEqual(id))
                return Mount.Parse(line)?.Point;
        }

        return null;
    }
}
