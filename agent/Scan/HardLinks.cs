using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Scan;

/// <summary>Results of files that have more than one name, so that each is read once in a pass, whatever it is called.</summary>
internal sealed class HardLinks
{
    // Some trees, such as backups, consist of links: beyond this, a file is read once for each of its names.
    private const int MaxFiles = 16 * 1024;

    private readonly Dictionary<(ulong Device, ulong Inode, SecretClass Secret), File> _files = [];

    /// <param name="look">Looks at the file; called by one thread at a time for each file.</param>
    public LookResult Look(FileStatus status, SecretClass secret, Func<LookResult> look)
    {
        if (Next(status, secret) is not { } file)
            return look();

        lock (file)
        {
            if (file.Seen is { Outcome: LookOutcome.Seen } seen && file.Status.IsSameState(status))
                return seen;

            var result = look();
            (file.Status, file.Seen) = (status, result);
            return result;
        }
    }

    /// <summary>What is known of a file, which is forgotten with the last of its names.</summary>
    /// <returns>Null when there are too many.</returns>
    private File? Next(in FileStatus status, SecretClass secret)
    {
        var key = (status.Device, status.Inode, secret);
        lock (_files)
        {
            if (!_files.TryGetValue(key, out var file))
            {
                if (_files.Count == MaxFiles)
                    return null;
                _files.Add(key, file = new File { NamesToCome = status.Links });
            }

            if (--file.NamesToCome <= 0)
                _files.Remove(key);
            return file;
        }
    }

    private sealed class File
    {
        public long NamesToCome { get; set; }

        public FileStatus Status { get; set; }

        public LookResult? Seen { get; set; }
    }
}
