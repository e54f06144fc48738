using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>Puts what came into chunks, and forgets what is older than it is kept: beside who writes, in small steps.</summary>
internal sealed class EmbeddedRetention(EmbeddedStore store, TimeProvider time, ILogger<EmbeddedRetention> logger) : BackgroundService
{
    /// <summary>What is in memory until then costs some tens of bytes a value; and each time, all chunks that grow are written anew.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    protected override Task ExecuteAsync(CancellationToken stopping) => StoreFailures.OutliveAsync(KeepAsync, time, logger, stopping);

    private async Task KeepAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            store.Flush();
            store.Trim(stopping);
        }
    }
}
