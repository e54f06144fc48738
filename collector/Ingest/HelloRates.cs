namespace Telemetry.Collector.Ingest;

/// <summary>How often one instance may come. An agent whose streams end at once tries again twice a second at most.</summary>
internal sealed class HelloRates(TimeProvider time)
{
    private const double PerSecond = 5;
    private const double Burst = 50;

    /// <summary>Who did not come lately is forgotten when there are more.</summary>
    private const int Few = 1_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, TokenBucket> _instances = new(StringComparer.Ordinal);
    private int _most = Few;

    /// <summary>Instances it remembers.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _instances.Count;
        }
    }

    /// <exception cref="FloodException">It came too often.</exception>
    public void Came(string instanceId)
    {
        lock (_gate)
        {
            if (_instances.Count >= _most)
                Forget();
            if (!_instances.TryGetValue(instanceId, out var bucket))
                _instances[instanceId] = bucket = new TokenBucket(time, PerSecond, Burst);
            if (!bucket.TryTake())
                throw new FloodException("streams");
        }
    }

    private void Forget()
    {
        foreach (var (id, bucket) in _instances)
        {
            if (bucket.IsFull)
                _instances.Remove(id);
        }

        _most = Math.Max(Few, 2 * _instances.Count);
    }
}
