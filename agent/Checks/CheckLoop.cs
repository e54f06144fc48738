using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Health;

namespace Telemetry.Agent.Checks;

/// <summary>Runs the checks of the layers on this machine, each at its interval; several at once, so that one that hangs keeps no other waiting.</summary>
internal sealed partial class CheckLoop(
    LayerChecks layers, CheckRunner runner, CheckLog states, HealthQueue metrics, TimeProvider clock, ILogger<CheckLoop> log) : BackgroundService
{
    /// <summary>Each has a thread, and what memory a plug-in takes; all of them share the agent's limits.</summary>
    internal const int MostAtOnce = 8;

    // A clock that is set is noticed no later.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, Task<CheckRun>> _running = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var mistake in layers.Mistakes)
            Log.Mistake(log, mistake);
        states.Run(layers.Checks);
        if (layers.Checks.Count == 0)
            return;

        var last = clock.GetUtcNow();
        var schedule = new CheckSchedule(layers.Checks, last);
        while (!stoppingToken.IsCancellationRequested)
        {
            var now = clock.GetUtcNow();
            if (now < last)
                schedule.Forget(now);
            last = now;
            while (_running.Count < MostAtOnce && schedule.Take(now) is { } check)
            {
                // One that can't be ended at once may be there longer than its interval.
                if (!_running.ContainsKey(check.Id))
                    _running.Add(check.Id, RunAsync(check, stoppingToken));
            }

            await WaitAsync(_running.Count < MostAtOnce ? schedule.Next!.Value - now : LongestWait, stoppingToken);
            foreach (var run in _running.Values.Where(run => run.IsCompleted && !run.IsCanceled).ToList())
                Tell(await run);
        }

        await ((Task)Task.WhenAll(_running.Values)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<CheckRun> RunAsync(DeclaredCheck check, CancellationToken cancellation)
    {
        var (at, started) = (clock.GetUtcNow(), clock.GetTimestamp());

        // It waits for most of its time: in a thread of its own, which ends with it, and not in one of the few that the rest shares.
        var result = await Task.Factory.StartNew(() => runner.Run(check, cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return new CheckRun(check, at, result, clock.GetElapsedTime(started));
    }

    /// <summary>Until one ends, at most for as long.</summary>
    private async Task WaitAsync(TimeSpan time, CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny([Task.Delay(time < LongestWait ? time : LongestWait, clock, ended.Token), .. _running.Values]);
        await ended.CancelAsync();
    }

    private void Tell(CheckRun run)
    {
        _running.Remove(run.Check.Id);

        // Its own time, when it was known: of two runs between two samples none takes the other's place.
        if (metrics.IsWanted)
            metrics.Add(new HealthSample(clock.GetUtcNow(), CheckPoints.Of(run)));
        if (states.Add(new CheckChange(run.Check, run.Result.State, run.At, run.Result.Text)))
            Log.Changed(log, run.Check.Id, run.Result.State, run.Result.Text);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Mistake} Its checks are not run; those of the other layers are. 'telemetry-agent check-config' says when it is right; restart the agent then")]
        public static partial void Mistake(ILogger log, string mistake);

        [LoggerMessage(2, LogLevel.Information, "Check {Check} is {State}: {Text}")]
        public static partial void Changed(ILogger log, string check, CheckState state, string text);
    }
}
