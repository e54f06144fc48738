using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Watch;

/// <summary>
/// Which key the directory of each inotify watch has. A watch goes with its directory when that moves; the key it has then is
/// learned when the directory is read at its new place.
/// </summary>
internal sealed class WatchedDirectories
{
    private readonly Dictionary<int, EntryKey> _keys = [];

    public int Count => _keys.Count;

    public bool TryFind(int watch, out EntryKey key) => _keys.TryGetValue(watch, out key);

    public void Set(int watch, ReadOnlySpan<byte> key)
    {
        // Every look sets all again: only what is new costs memory.
        if (!_keys.TryGetValue(watch, out var known) || !known.Bytes.SequenceEqual(key))
            _keys[watch] = new EntryKey(key);
    }

    public void Remove(int watch) => _keys.Remove(watch);

    public void Clear() => _keys.Clear();

    /// <summary>Forgets the directories at and below keys, and returns their watches.</summary>
    public IReadOnlyList<int> RemoveBelow(IReadOnlySet<EntryKey> moved)
    {
        var removed = _keys.Where(entry => IsBelow(entry.Value, moved)).Select(entry => entry.Key).ToList();
        foreach (var watch in removed)
            _keys.Remove(watch);
        return removed;
    }

    /// <summary>By the directories above, of which there are few; of those that moved there may be thousands.</summary>
    private static bool IsBelow(EntryKey key, IReadOnlySet<EntryKey> moved)
    {
        while (!moved.Contains(key))
        {
            if (key.IsRoot)
                return false;
            key = new EntryKey(key.Bytes[..Math.Max(key.Bytes.LastIndexOf(EntryKey.Separator), 0)]);
        }

        return true;
    }
}
