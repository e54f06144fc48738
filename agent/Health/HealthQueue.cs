namespace Telemetry.Agent.Health;

/// <summary>Samples not yet acknowledged, in memory. Full: the oldest give way, and are counted.</summary>
/// <param name="capacity">Samples: an hour at the usual interval.</param>
internal sealed class HealthQueue(TimeProvider clock, int capacity = 360)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<(ulong Sequence, HealthSample Sample)> _samples = [];
    private ulong _epoch = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds();
    private ulong _lastSequence, _lastSent;
    private long _dropped;

    /// <summary>Raised when there is something to send.</summary>
    public event Action? Changed;

    /// <summary>Whether the collector has a use for samples. Before it said so, none are taken.</summary>
    public bool IsWanted { get; private set; }

    public long Dropped => Interlocked.Read(ref _dropped);

    public void Add(HealthSample sample)
    {
        lock (_gate)
        {
            _samples.AddLast((++_lastSequence, sample));
            if (_samples.Count > capacity)
            {
                _samples.RemoveFirst();
                Interlocked.Increment(ref _dropped);
            }
        }

        Changed?.Invoke();
    }

    /// <summary>A stream begins: what was sent on another one and not acknowledged is sent again.</summary>
    public void Begin(bool isWanted, ulong watermarkEpoch, ulong watermarkSequence)
    {
        lock (_gate)
        {
            IsWanted = isWanted;
            _lastSent = 0;
            if (!isWanted)
                _samples.Clear();
            else if (watermarkEpoch > _epoch)
                Renew(watermarkEpoch);
            else
                Take(watermarkEpoch, watermarkSequence);
        }
    }

    /// <summary>The next sample that was not sent on this stream.</summary>
    public (ulong Epoch, ulong Sequence, HealthSample Sample)? Next()
    {
        lock (_gate)
        {
            foreach (var (sequence, sample) in _samples)
            {
                if (sequence <= _lastSent)
                    continue;
                _lastSent = sequence;
                return (_epoch, sequence, sample);
            }

            return null;
        }
    }

    public void Acked(ulong epoch, ulong sequence)
    {
        lock (_gate)
            Take(epoch, sequence);
    }

    private void Take(ulong epoch, ulong sequence)
    {
        while (epoch == _epoch && _samples.First is { } first && first.Value.Sequence <= sequence)
            _samples.RemoveFirst();
    }

    /// <summary>The clock went back since the last start: the collector would take our samples for old ones.</summary>
    private void Renew(ulong watermarkEpoch)
    {
        _epoch = watermarkEpoch + 1;
        _lastSequence = 0;
        var samples = _samples.Select(entry => entry.Sample).ToList();
        _samples.Clear();
        samples.ForEach(sample => _samples.AddLast((++_lastSequence, sample)));
    }
}
