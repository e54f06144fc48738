using Google.Protobuf.WellKnownTypes;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Records, every ten seconds, how much each instance drifts, whether it complies, and whether it is connected.</summary>
internal sealed class FleetSampler(StateStore store, PointQueue queue, TimeProvider time, ILogger<FleetSampler> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    /// <summary>Points in a batch of the queue: as many as an agent may deliver at once.</summary>
    private const int Together = 5_000;

    private readonly FleetSeries _series = new();

    /// <summary>Samples once.</summary>
    /// <returns>How many points that made.</returns>
    public async Task<int> SampleAsync()
    {
        var now = time.GetUtcNow();
        var at = Timestamp.FromDateTimeOffset(now.AddTicks(-(now.Ticks % Interval.Ticks)));
        var points = _series.Next(store.Read(transaction => transaction.Samples.Take()), at);
        foreach (var batch in points.Chunk(Together))
            await queue.AddAsync(batch);
        return points.Count;
    }

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(SampleAllAsync, time, logger, stopping);

    private async Task SampleAllAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            await SampleAsync();
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }
}
