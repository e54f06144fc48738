namespace Telemetry.Collector.Storage;

/// <summary>Keeps a background task going when the disk fails: what it does is in the store, so it can begin again.</summary>
internal static partial class StoreFailures
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Runs the work until it is asked to stop; begins it again, after a pause, when the store failed.</summary>
    public static async Task OutliveAsync(
        Func<CancellationToken, Task> work, TimeProvider time, ILogger logger, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await work(stopping);
                return;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (StoreException e)
            {
                Log.Failed(logger, e.Message);
                await Task.Delay(Pause, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Reason}")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
