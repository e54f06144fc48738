namespace Telemetry.Collector.Ingest;

/// <summary>
/// What instances brought of heads that they did not complete. It is on the disk until it is swept, whatever became of the heads and
/// streams it came with: each instance may bring so much, and no more.
/// </summary>
internal sealed class StagedBytes(TimeProvider time)
{
    /// <summary>Nodes that nothing reaches are swept in the second hour after they came.</summary>
    private static readonly TimeSpan SweptAfter = TimeSpan.FromHours(3);

    /// <summary>Who brought nothing lately is forgotten when there are more.</summary>
    private const int Few = 1_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Bytes, long Since)> _instances = new(StringComparer.Ordinal);
    private int _most = Few;

    /// <summary>Of one instance: twice what a head may bring, for one that changes while it is brought.</summary>
    public long MaxBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Before they are stored.</summary>
    /// <exception cref="OverloadedException">It brought too much already.</exception>
    public void Add(string instanceId, long bytes)
    {
        lock (_gate)
        {
            if (_instances.Count >= _most)
                Forget();
            var (staged, since) = _instances.TryGetValue(instanceId, out var known) && !IsSwept(known.Since) ? known : (0, time.GetTimestamp());
            if (staged + bytes > MaxBytes)
                throw new OverloadedException($"Instance '{instanceId}' brought {staged / 1024 / 1024} MiB of nodes of states that it never completed; no more of them is taken until they are removed, in some hours.");
            _instances[instanceId] = (staged + bytes, since);
        }
    }

    /// <summary>So much of what it brought belongs to a head now.</summary>
    public void Completed(string instanceId, long bytes)
    {
        lock (_gate)
        {
            if (!_instances.TryGetValue(instanceId, out var known))
                return;
            if (known.Bytes > bytes)
                _instances[instanceId] = known with { Bytes = known.Bytes - bytes };
            else
                _instances.Remove(instanceId);
        }
    }

    private void Forget()
    {
        foreach (var (id, _) in _instances.Where(instance => IsSwept(instance.Value.Since)).ToList())
            _instances.Remove(id);
        _most = Math.Max(Few, 2 * _instances.Count);
    }

    private bool IsSwept(long since) => time.GetElapsedTime(since) >= SweptAfter;
}
