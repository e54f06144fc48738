using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Files that are to be read again whatever their stamps prove.</summary>
internal sealed class DirtyFiles
{
    private readonly Lock _gate = new();
    private readonly SortedSet<EntryKey> _keys = [];

    public void Add(EntryKey key)
    {
        lock (_gate)
            _keys.Add(key);
    }

    /// <summary>What a look that begins now has to read, in key order. It stays until the look is <see cref="Done"/>.</summary>
    public IReadOnlyList<EntryKey> Pending()
    {
        lock (_gate)
            return [.. _keys];
    }

    public void Done(IReadOnlyList<EntryKey> read)
    {
        lock (_gate)
            _keys.ExceptWith(read);
    }
}
