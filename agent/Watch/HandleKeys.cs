using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch;

/// <summary>Which key a directory has that events name by its handle. Remembers what it was asked, until a directory moves.</summary>
/// <param name="root">The scanned root: an absolute path without a slash at its end.</param>
internal sealed class HandleKeys(byte[] root)
{
    private const int MaxKnown = 8192;

    private readonly Dictionary<EntryKey, EntryKey?> _known = [];

    /// <summary>The filesystems it knows.</summary>
    public WatchedMounts Mounts { get; } = new();

    /// <returns>Null when it is gone, or does not lie below the root.</returns>
    public EntryKey? Find(in WatchedName directory)
    {
        var handle = new EntryKey([.. BitConverter.GetBytes(directory.Filesystem), .. directory.Handle]);
        if (_known.TryGetValue(handle, out var known))
            return known;

        if (!Mounts.TryOpen(directory.Filesystem, out var mount))
            return null;
        if (_known.Count == MaxKnown)
            _known.Clear();
        var key = HandlePath.Of(mount, directory.Handle, out var path) == 0 ? KeyOf(path) : null;
        OpenFile.Close(mount);
        _known.Add(handle, key);
        return key;
    }

    /// <summary>Directories have moved, or gone.</summary>
    public void Forget() => _known.Clear();

    private EntryKey? KeyOf(byte[] path)
    {
        if (!path.AsSpan().StartsWith(root) || (path.Length > root.Length && path[root.Length] != (byte)'/'))
            return null;
        var below = path.AsSpan(root.Length).Trim((byte)'/').ToArray();
        below.AsSpan().Replace((byte)'/', EntryKey.Separator);
        return new EntryKey(below);
    }
}
