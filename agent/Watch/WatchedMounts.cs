using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Watch;

/// <summary>
/// Where the watched filesystems are mounted. None is held open, which would keep people from unmounting it. For several threads.
/// </summary>
internal sealed class WatchedMounts
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, byte[]> _paths = [];

    /// <summary>A filesystem is watched, or mounted at another place now.</summary>
    /// <param name="id">As events name it: see <see cref="FilesystemType.IdOf"/>.</param>
    /// <param name="directory">Open.</param>
    public void Add(ulong id, int directory)
    {
        if (LinkTarget.Read(-1, [.. System.Text.Encoding.ASCII.GetBytes($"/proc/self/fd/{directory}"), 0], out var path) != 0)
            return;
        lock (_gate)
            _paths[id] = [.. path, 0];
    }

    /// <summary>Opens a directory of a filesystem, for the caller to close.</summary>
    /// <returns>False when it is not watched, or not mounted there any more.</returns>
    public bool TryOpen(ulong id, out int directory)
    {
        directory = -1;
        byte[]? path;
        lock (_gate)
            _paths.TryGetValue(id, out path);
        if (path is null || OpenFile.Root(path, out directory) != 0)
            return false;
        if (FilesystemType.IdOf(directory) == id)
            return true;

        OpenFile.Close(directory);
        directory = -1;
        return false;
    }
}
