using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Telemetry.Agent.Manifest;

namespace Telemetry.Agent.Supervision;

/// <summary>
/// Tells systemd that the agent lives: only when every loop moved since it was told last. A loop that hangs gets the agent
/// restarted (sd_notify(3), WatchdogSec= in systemd.service(5)).
/// </summary>
internal sealed partial class Watchdog(
    IEnumerable<LoopPulse> pulses, StateStore store, ISystemdNotifier systemd, TimeProvider clock, ILogger<Watchdog> log) : BackgroundService
{
    private readonly Dictionary<LoopPulse, long> _before = pulses.ToDictionary(pulse => pulse, _ => -1L);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = Interval();
        while (!stoppingToken.IsCancellationRequested)
        {
            Tell();
            await Task.Delay(interval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Tell()
    {
        var moves = true;
        foreach (var (pulse, before) in _before)
        {
            var now = pulse.Beats;
            if (now == before)
            {
                Log.Stands(log, pulse.Name);
                moves = false;
            }

            _before[pulse] = now;
        }

        if (moves)
            systemd.Notify(new ServiceState("WATCHDOG=1"));
        systemd.Notify(new ServiceState("STATUS=" + Status()));
    }

    private string Status()
    {
        var ledger = store.Ledger;
        return ledger.Head is not { } head ? "first scan is running"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"head {head.Position}, {(ledger.IsAcknowledged ? "acknowledged" : "not acknowledged yet")}, last scan {ledger.LookCompletedAt:HH:mm:ss}Z, {(store.IsInMemory ? "state in memory" : "state on disk")}");
    }

    /// <summary>Half of what systemd allows.</summary>
    private static TimeSpan Interval() =>
        long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), CultureInfo.InvariantCulture, out var microseconds)
            ? TimeSpan.FromMicroseconds(microseconds / 2)
            : TimeSpan.FromSeconds(30);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Error, "The {Loop} loop has not moved; systemd is not told that the agent is well")]
        public static partial void Stands(ILogger log, string loop);
    }
}
