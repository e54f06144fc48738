namespace Telemetry.Collector.Ingest;

/// <summary>How often each instance may do something, on whatever stream.</summary>
internal sealed class InstanceRates(TimeProvider time, double perSecond, double burst)
{
    /// <summary>Who did nothing lately is forgotten when there are more.</summary>
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

    /// <param name="times">As much as that, or nothing.</param>
    public bool TryTake(string instanceId, int times = 1)
    {
        lock (_gate)
            return BucketOf(instanceId).TryTake(times);
    }

    /// <inheritdoc cref="TokenBucket.Take"/>
    public void Take(string instanceId, int times)
    {
        lock (_gate)
            BucketOf(instanceId).Take(times);
    }

    /// <inheritdoc cref="TokenBucket.Debt"/>
    public TimeSpan DebtOf(string instanceId)
    {
        lock (_gate)
            return _instances.TryGetValue(instanceId, out var bucket) ? bucket.Debt : TimeSpan.Zero;
    }

    private TokenBucket BucketOf(string instanceId)
    {
        if (_instances.Count >= _most)
            Forget();
        if (!_instances.TryGetValue(instanceId, out var bucket))
            _instances[instanceId] = bucket = new TokenBucket(time, perSecond, burst);
        return bucket;
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
