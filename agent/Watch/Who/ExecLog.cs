namespace Telemetry.Agent.Watch.Who;

/// <summary>When processes were last seen to run another program, counted in events of the queue.</summary>
/// <remarks>
/// Bounded: two generations of pids, of which the older is dropped when the younger is full. What was dropped is answered with
/// "perhaps". Not for several threads.
/// </remarks>
internal sealed class ExecLog(int capacity = 8192)
{
    private Dictionary<int, ulong> _young = [], _old = [];
    private ulong _youngest, _oldYoungest, _forgotten;

    /// <param name="order">Number of the event in the queue; they rise.</param>
    public void Seen(int pid, ulong order)
    {
        if (_young.Count >= capacity && !_young.ContainsKey(pid))
        {
            (_young, _old) = (_old, _young);
            _young.Clear();
            _forgotten = _oldYoungest;
            _oldYoungest = _youngest;
        }

        _young[pid] = order;
        _youngest = order;
    }

    /// <summary>Whether the process may have run another program after an event.</summary>
    public bool MayHaveSince(int pid, ulong order) =>
        order < _forgotten
        || (_young.TryGetValue(pid, out var last) && last > order)
        || (_old.TryGetValue(pid, out last) && last > order);
}
