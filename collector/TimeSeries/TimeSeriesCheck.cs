using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Tries the store of points out: at the start, until it passes, and again when it was away, for it may be another one since.</summary>
internal sealed partial class TimeSeriesCheck(ITimeSeriesStore target, TimeSeriesBoard board, TimeProvider time, ILogger<TimeSeriesCheck> logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(CheckAllAsync, time, logger, stopping);

    private async Task CheckAllAsync(CancellationToken stopping)
    {
        while (true)
        {
            // Read before the test, so that a return in between is not missed.
            var returned = board.Returned;
            var verdict = await target.TestAsync(stopping);
            if (verdict.Words != board.State.Verdict?.Words)
                Tell(verdict);
            board.Note(verdict);
            if (verdict.HasPassed)
                await returned.WaitAsync(stopping);
            else
                await Task.WhenAny(returned, Task.Delay(Pause, time, stopping)).WaitAsync(stopping);
        }
    }

    private void Tell(StoreVerdict verdict)
    {
        if (verdict.HasPassed)
            Log.Passed(logger, verdict.Words);
        else
            Log.Failed(logger, verdict.Words);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "{Verdict}")]
        public static partial void Passed(ILogger logger, string verdict);

        [LoggerMessage(2, LogLevel.Warning, "{Verdict}. 'telemetryctl reports timeseries' shows each check")]
        public static partial void Failed(ILogger logger, string verdict);
    }
}
