using Telemetry.Collector.Alerts;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>Puts what came into chunks, and forgets what is older than it is kept: beside who writes, in small steps.</summary>
internal sealed class EmbeddedRetention(EmbeddedStore store, NoticeBoard notices, TimeProvider time, ILogger<EmbeddedRetention> logger) : BackgroundService
{
    /// <summary>What is in memory until then costs some tens of bytes a value; and each time, all chunks that grow are written anew.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    private const string Subject = "timeseries-damage";

    /// <summary>Tells people of a file that was put aside, for as long as it lies there.</summary>
    public void LookForDamage()
    {
        if (File.Exists(store.DamagedPath))
            notices.Raise(Subject, $"The time series were damaged, and begun anew: what was before is in {store.DamagedPath}. Deviations, alerts and availability are not affected. Look at the disk, and take that file away");
        else
            notices.Resolve(Subject, $"{store.DamagedPath} is gone");
    }

    protected override Task ExecuteAsync(CancellationToken stopping) => StoreFailures.OutliveAsync(KeepAsync, time, logger, stopping);

    private async Task KeepAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        store.BegunAnew = LookForDamage;
        LookForDamage();
        while (await timer.WaitForNextTickAsync(stopping))
        {
            store.Flush();
            store.Trim(stopping);
            LookForDamage();
        }
    }
}
