using System.Collections.Immutable;
using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>How the changes of each filesystem come to be known: whoever watches says it here, coverage and status tell it on.</summary>
/// <param name="root">The scanned root.</param>
internal sealed class WatchedParts(string root)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, WatchedPart> _byDevice = [];

    /// <summary>In key order.</summary>
    public ImmutableArray<WatchedPart> All
    {
        get
        {
            lock (_gate)
                return [.. _byDevice.Values.OrderBy(part => part.Prefix)];
        }
    }

    /// <summary>Whether the kernel tells all changes: then a scan of everything is only a precaution.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate)
                return _byDevice.Count > 0 && _byDevice.Values.All(part => part.Method is not (WatchMethod.InotifyAndScans or WatchMethod.Scans));
        }
    }

    /// <param name="key">Of a directory on the filesystem.</param>
    /// <param name="reason">Why not better; empty when there is nothing better.</param>
    public void Set(ulong device, EntryKey key, WatchMethod method, string reason)
    {
        var part = new WatchedPart(Highest(device, key), method, reason);
        lock (_gate)
            _byDevice[device] = part;
    }

    /// <summary>Mounts have changed: all that are entered from now on are said again.</summary>
    public void Clear()
    {
        lock (_gate)
            _byDevice.Clear();
    }

    /// <summary>The highest directory below the root from which on all the way is on the same filesystem: that is where people know it.</summary>
    private EntryKey Highest(ulong device, EntryKey key)
    {
        while (!key.IsRoot)
        {
            var above = new EntryKey(key.Bytes[..Math.Max(key.Bytes.LastIndexOf(EntryKey.Separator), 0)]);
            var path = Encoding.UTF8.GetString(above.Bytes).Replace('\0', '/');
            if (OpenFile.StatusOf(Path.Join(root, path, "/.")) is not { } status || status.Device != device)
                break;
            key = above;
        }

        return key;
    }
}
