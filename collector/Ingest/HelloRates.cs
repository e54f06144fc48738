namespace Telemetry.Collector.Ingest;

/// <summary>How often one instance may come. An agent whose streams end at once tries again twice a second at most.</summary>
internal sealed class HelloRates(TimeProvider time)
{
    private readonly InstanceRates _rates = new(time, perSecond: 5, burst: 50);

    /// <summary>Instances it remembers.</summary>
    public int Count => _rates.Count;

    /// <exception cref="FloodException">It came too often.</exception>
    public void Came(string instanceId)
    {
        if (!_rates.TryTake(instanceId))
            throw new FloodException("streams");
    }
}
