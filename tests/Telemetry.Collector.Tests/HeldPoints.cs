using System.Collections.Concurrent;
using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Tests;

/// <summary>A store of points that ends each write when the test says so.</summary>
internal sealed class HeldPoints : IPointSink, IDisposable
{
    private readonly SemaphoreSlim _ends = new(0);
    private volatile bool _fails;

    public bool IsWanted => true;

    /// <summary>Batches of each write, in order.</summary>
    public ConcurrentQueue<int> Writes { get; } = [];

    public HeadPosition Watermark(string instanceId) => default;

    public Action<StoreTransaction> Prepare(PointDelivery delivery) => static _ => { };

    public async Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries)
    {
        Writes.Enqueue(deliveries.Count);
        await _ends.WaitAsync();
        if (_fails)
            throw new StoreException("The disk is full.");
    }

    /// <summary>Ends one write.</summary>
    public void Release() => _ends.Release();

    public void Fail()
    {
        _fails = true;
        Release();
    }

    public void Dispose() => _ends.Dispose();
}
