using System.Collections.Concurrent;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.FleetSimulator;

/// <summary>Changes that were made and whose deviations were not told yet. For several threads.</summary>
internal sealed class Changes(Latencies latencies, TimeProvider clock)
{
    private readonly ConcurrentDictionary<(string Instance, string Key), long> _untold = [];
    private bool _isWatched;

    public int Untold => _untold.Count;

    /// <summary>From now on: of what changed before, nobody knows when.</summary>
    public void Watch() => Volatile.Write(ref _isWatched, true);

    /// <summary>Just now. Of two changes of one entry that become one deviation, the earlier counts.</summary>
    public void Made(string instance, EntryKey key)
    {
        if (Volatile.Read(ref _isWatched))
            _untold.TryAdd((instance, KeyText.Format(EntryKind.File, key.Bytes)), clock.GetTimestamp());
    }

    public void Told(Transition transition, Deviation deviation)
    {
        if (transition != Transition.Closed && _untold.TryRemove((deviation.InstanceId, deviation.Key), out var madeAt))
            latencies.Add(clock.GetElapsedTime(madeAt));
    }
}
