using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Names that are one file: the kernel reports a write by the name it went through, and by no other.</summary>
internal sealed class LinkedNames
{
    // Trees that consist of links, such as backups, are not remembered whole: a scan of everything finds what is missed.
    private const int MaxFiles = 32 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<(ulong Device, ulong Inode), Known> _files = [];
    private bool _isLookingAtEverything, _hasUnknown;

    /// <param name="status">Of a file that has more names than one.</param>
    public void Add(in FileStatus status, ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            var file = (status.Device, status.Inode);
            if (!_files.TryGetValue(file, out var known))
            {
                if (_files.Count == MaxFiles)
                    return;
                _files.Add(file, known = new Known());
            }

            // A name was made of another one, and which that is nobody told. Names outside of what is scanned are none of ours.
            _hasUnknown |= !_isLookingAtEverything && status.Links > known.Links;
            known.Links = Math.Max(known.Links, status.Links);
            known.Names.Add(new EntryKey(key));
        }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _files.Count == 0;
        }
    }

    /// <summary>What a file was called when last looked at.</summary>
    public IReadOnlyList<EntryKey> Of(in FileStatus status)
    {
        lock (_gate)
            return _files.TryGetValue((status.Device, status.Inode), out var known) ? [.. known.Names] : [];
    }

    /// <summary>A look at everything begins, or one at some parts.</summary>
    public void Begin(bool everything)
    {
        lock (_gate)
        {
            _isLookingAtEverything = everything;
            if (!everything)
                return;
            _files.Clear();
            _hasUnknown = false;
        }
    }

    /// <summary>Whether a file got a name since the last look at everything, and not all of its names are known.</summary>
    public bool HasUnknown
    {
        get
        {
            lock (_gate)
                return _hasUnknown;
        }
    }

    private sealed class Known
    {
        public HashSet<EntryKey> Names { get; } = [];

        public uint Links { get; set; }
    }
}
