namespace Telemetry.Collector.Ingest;

/// <summary>How many changes of checks one instance may have stored.</summary>
internal sealed class CheckRates(TimeProvider time)
{
    // At once, all that its checks came to in some days without a collector; in the long run, each of 300 checks another state every minute.
    private readonly InstanceRates _rates = new(time, perSecond: 5, burst: 2_000);

    /// <param name="changes">At most as many as checks.</param>
    public bool MayStore(string instanceId, int changes) => _rates.TryTake(instanceId, Math.Max(changes, 1));
}
