using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Policies;
using Telemetry.Agent.Scan;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scrub;

/// <summary>
/// Reads every file again over a period, spread evenly, so that an edit that forged its times, or went past the filesystem, is
/// found at last. A restart goes on where the pass was.
/// </summary>
internal sealed partial class ScrubLoop(
    ScanPlan plan, RulesInForce rules, StateStore store, DirtyPaths dirty, ScrubPosition position, ScrubOptions options, TimeProvider clock, ILogger<ScrubLoop> log)
    : BackgroundService
{
    private static readonly TimeSpan WhenThereIsNothing = TimeSpan.FromSeconds(10);

    private ScanProgress _progress = new();
    private long _found;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        !options.Enabled ? Task.CompletedTask : Task.Factory.StartNew(
            () => Run(stoppingToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(CancellationToken cancellation)
    {
        // The thread is this loop's own: what it gives way to is everything else.
        IdleThread.Enter();
        try
        {
            while (true)
                RunPass(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
    }

    private void RunPass(CancellationToken cancellation)
    {
        var budget = new ReadBudget(options.MaxReadMiBPerSecond * 1024L * 1024L, clock);
        var started = clock.GetTimestamp();
        var (last, done) = position.Read();
        for (var pace = new Pace(options.Period, done, store.CountLeaves(EntryKind.File)); ; pace = pace.Next())
        {
            // After the last one, too: a tree of one leaf is read once in the period like any other.
            Wait(pace.Due - clock.GetElapsedTime(started), cancellation);
            var leaf = store.NextLeaf(EntryKind.File, last);
            if (leaf is null)
            {
                End(pace.Done, started);
                if (pace.Done == done)
                    Wait(WhenThereIsNothing, cancellation);
                return;
            }

            foreach (var key in new Scrubber(plan.Root, new FileSecrets(rules.Current.Policy, rules.Current.Key), budget, _progress, clock).Read(leaf, cancellation))
            {
                _found++;
                dirty.Add(key, isDeep: false, store.Ledger.LookStartedAt ?? clock.GetUtcNow());
                Log.Different(log, KeyText.Format(EntryKind.File, key.Bytes));
            }

            last = leaf.FirstKey;
            position.Write(last, pace.Done + 1);
        }
    }

    private void End(long leaves, long started)
    {
        position.Clear();
        if (leaves > 0)
            Log.Passed(log, _progress.FilesRead, _progress.Bytes, _found, clock.GetElapsedTime(started).TotalSeconds);
        _progress = new ScanProgress();
        _found = 0;
    }

    private static void Wait(TimeSpan time, CancellationToken cancellation)
    {
        if (time > TimeSpan.Zero)
            cancellation.WaitHandle.WaitOne(time);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>When the next leaf is due: leaves are spread evenly over the period.</summary>
    /// <param name="Before">Leaves of the pass that were read before this process began.</param>
    /// <param name="Leaves">All there were when the pass began, or went on.</param>
    private readonly record struct Pace(TimeSpan Period, long Before, long Leaves)
    {
        public long Done { get; init; } = Before;

        public Pace Next() => this with { Done = Done + 1 };

        public TimeSpan Due => Period * ((double)(Done - Before) / Math.Max(Leaves, 1));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Path} holds something else than its times and its size say; it is read again and reported")]
        public static partial void Different(ILogger log, string path);

        [LoggerMessage(2, LogLevel.Information, "Scrub complete: {Files} files, {Bytes} bytes read again, {Found} of them different, in {Seconds:F0} s")]
        public static partial void Passed(ILogger log, long files, long bytes, long found, double seconds);
    }
}
