using System.Collections.Concurrent;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Scan;

/// <summary>Results of files that have more than one name, so that each is read once in a pass, whatever it is called.</summary>
internal sealed class HardLinks
{
    // Some trees, such as backups, consist of links: beyond this, a file is read once for each of its names.
    private const int MaxFiles = 16 * 1024;

    private readonly ConcurrentDictionary<(ulong Device, ulong Inode, SecretClass Secret), File> _files = new();

    /// <param name="look">Looks at the file; called by one thread at a time for each file.</param>
    public LookResult Look(FileStatus status, SecretClass secret, Func<LookResult> look)
    {
        var name = (status.Device, status.Inode, secret);
        if (!_files.TryGetValue(name, out var file))
        {
            if (_files.Count >= MaxFiles)
                return look();
            file = _files.GetOrAdd(name, _ => new File(status.Links));
        }

        lock (file)
        {
            var isKnown = file.Result is { Outcome: LookOutcome.Seen } && file.Status.IsSameState(status);
            var result = isKnown ? file.Result!.Value : look();
            file.Status = status;
            file.Result = result;
            if (--file.NamesToCome <= 0)
                _files.TryRemove(name, out _);
            return result;
        }
    }

    private sealed class File(uint names)
    {
        public long NamesToCome { get; set; } = names;

        public FileStatus Status { get; set; }

        public LookResult? Result { get; set; }
    }
}
