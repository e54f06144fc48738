using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Telemetry.Agent.Checks;

/// <summary>Runs the checks of the layers on this machine, one at a time, each at its interval.</summary>
internal sealed partial class CheckLoop(
    LayerChecks layers, CheckRunner runner, CheckLog news, CheckProbe points, TimeProvider clock, ILogger<CheckLoop> log) : BackgroundService
{
    // A clock that is set is noticed no later.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, CheckState> _states = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var mistake in layers.Mistakes)
            Log.Mistake(log, mistake);
        news.Add(new CheckNews(clock.GetUtcNow(), null, layers.Checks));
        if (layers.Checks.Count == 0)
            return;

        var schedule = new CheckSchedule(layers.Checks, clock.GetUtcNow());
        var last = clock.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            var now = clock.GetUtcNow();
            if (now < last)
                schedule.Forget(now);
            last = now;
            if (schedule.Take(now) is { } check)
            {
                await RunAsync(check, stoppingToken);
                continue;
            }

            var wait = schedule.Next!.Value - now;
            await Task.Delay(wait < LongestWait ? wait : LongestWait, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunAsync(DeclaredCheck check, CancellationToken cancellation)
    {
        var (at, started) = (clock.GetUtcNow(), clock.GetTimestamp());
        CheckResult result;
        try
        {
            result = await Task.Run(() => runner.Run(check, cancellation), cancellation);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        points.Add(check, result, clock.GetElapsedTime(started));
        if (_states.TryGetValue(check.Id, out var before) && before == result.State)
            return;
        _states[check.Id] = result.State;
        news.Add(new CheckNews(at, new CheckChange(check, result.State, at, result.Text), null));
        Log.Changed(log, check.Id, result.State, result.Text);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "{Mistake} Its checks are not run; those of the other layers are. 'telemetry-agent check-config' says when it is right; restart the agent then")]
        public static partial void Mistake(ILogger log, string mistake);

        [LoggerMessage(2, LogLevel.Information, "Check {Check} is {State}: {Text}")]
        public static partial void Changed(ILogger log, string check, CheckState state, string text);
    }
}
