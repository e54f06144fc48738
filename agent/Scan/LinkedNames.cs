using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Names that are one file: the kernel reports a write by the name it went through, and by no other.</summary>
internal sealed class LinkedNames
{
    // Trees that consist of links, such as backups, are not remembered whole: a scan of everything finds what is missed.
    private const int MaxNames = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<(ulong Device, ulong Inode), List<EntryKey>> _names = [];
    private readonly Dictionary<EntryKey, (ulong Device, ulong Inode)> _files = [];

    /// <param name="status">Of a file that has more names than one.</param>
    public void Add(in FileStatus status, ReadOnlySpan<byte> key)
    {
        var name = new EntryKey(key);
        var file = (status.Device, status.Inode);
        lock (_gate)
        {
            if (_files.TryGetValue(name, out var known) && known == file)
                return;
            if (_files.Count == MaxNames)
                return;
            _files[name] = file;
            if (!_names.TryGetValue(file, out var names))
                _names.Add(file, names = []);
            names.Add(name);
        }
    }

    /// <summary>What a name's file was called besides, when last looked at.</summary>
    public IReadOnlyList<EntryKey> OthersOf(EntryKey name)
    {
        lock (_gate)
            return _files.TryGetValue(name, out var file) ? [.. _names[file].Where(other => !other.Equals(name))] : [];
    }

    /// <summary>A look at everything begins.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _names.Clear();
            _files.Clear();
        }
    }
}
