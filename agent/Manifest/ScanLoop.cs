using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Supervision;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Manifest;

/// <summary>Looks at everything, at start and then again and again.</summary>
internal sealed partial class ScanLoop(
    ScanPlan plan,
    RulesInForce rules,
    DirtyFiles dirty,
    StateStore store,
    ScanOptions options,
    [FromKeyedServices("scan")] LoopPulse pulse,
    TimeProvider clock,
    ILogger<ScanLoop> log) : BackgroundService
{
    // A scan of a large tree leaves garbage that would stay resident until the next one.
    private const int ManyEntries = 10_000;

    private string? _lastFailure;
    private HeadPosition _lastHead;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using var hurry = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, rules.Changed);

            // A thread of its own: a scan blocks for as long as the disk does.
            await Task.Factory.StartNew(
                () => Look(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await pulse.WaitAsync(options.Interval, clock, hurry.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Look(CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        var progress = new ScanProgress();
        try
        {
            using var beats = Beat(progress);
            var goingBy = rules.Current;
            var toRead = dirty.Pending();
            var ledger = store.Look(plan.Under(goingBy.Policy, goingBy.Key, clock, toRead), progress, cancellation);
            dirty.Done(toRead);
            rules.LookedAt(goingBy);
            store.Wake();
            _lastFailure = null;
            Report(ledger.Head!, progress, clock.GetElapsedTime(started));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return;
        }
        catch (ScanRootException e)
        {
            // It may be mounted later; what was known stays known until then.
            if (e.Message != _lastFailure)
                Log.Failed(log, e.Message);
            _lastFailure = e.Message;
        }

        if (progress.Entries > ManyEntries)
            Linux.ProcessLimits.GiveBackMemory();
    }

    private void Report(LocalHead head, ScanProgress progress, TimeSpan time)
    {
        if (head.Position == _lastHead)
        {
            Log.NothingNew(log, head.Position, progress.Entries, progress.FilesRead, time.TotalSeconds);
            return;
        }

        _lastHead = head.Position;
        Log.NewHead(log, head.Position, progress.Entries, progress.FilesRead, progress.Bytes, time.TotalSeconds);
        if (head.Coverage.Gaps.Length > 0)
        {
            var gap = head.Coverage.Gaps[0];
            Log.Gaps(log, head.Coverage.Gaps.Length, KeyText.Format(gap.Kind, gap.Prefix.Bytes), gap.Reason);
        }
    }

    /// <summary>A scan moves as long as its counters do.</summary>
    private ITimer Beat(ScanProgress progress)
    {
        var before = (Entries: -1L, Bytes: -1L);
        return clock.CreateTimer(
            _ =>
            {
                var now = (progress.Entries, progress.Bytes);
                if (now != before)
                    pulse.Beat();
                before = now;
            },
            null,
            TimeSpan.Zero,
            LoopPulse.LongestSilence);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "New head {Position}: {Entries} entries; read {Files} files, {Bytes} bytes in {Seconds:F1} s")]
        public static partial void NewHead(ILogger log, HeadPosition position, long entries, long files, long bytes, double seconds);

        [LoggerMessage(2, LogLevel.Warning, "{Count} parts are not covered, the first is {Prefix}: {Reason}")]
        public static partial void Gaps(ILogger log, int count, string prefix, string reason);

        [LoggerMessage(4, LogLevel.Debug, "Head {Position} still holds: {Entries} entries; read {Files} files in {Seconds:F3} s")]
        public static partial void NothingNew(ILogger log, HeadPosition position, long entries, long files, double seconds);

        [LoggerMessage(3, LogLevel.Error, "{Reason} The agent tries again at every scan; what it reported before still stands")]
        public static partial void Failed(ILogger log, string reason);
    }
}
