using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Telemetry.Agent.Health;

/// <summary>Samples all probes at the interval's boundaries, as long as the collector wants it.</summary>
internal sealed partial class HealthLoop(
    IEnumerable<IProbe> probes, HealthQueue queue, HealthOptions options, TimeProvider clock, ILogger<HealthLoop> log) : BackgroundService
{
    private readonly HashSet<string> _failing = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var next = DateTimeOffset.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            // A timer counts whole milliseconds, and may ring just before the boundary it was set for: that one is done with.
            var now = clock.GetUtcNow();
            next = Next(now < next && next - now < options.Interval ? next : now, options.Interval);
            await Task.Delay(next - now, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested)
                break;
            if (queue.IsWanted)
                queue.Add(new HealthSample(next, [.. probes.SelectMany(Read)]));
            else if (queue.IsPresenceWanted)
                queue.Add(new HealthSample(next, []));
        }
    }

    /// <summary>The next whole multiple of the interval.</summary>
    internal static DateTimeOffset Next(DateTimeOffset now, TimeSpan interval) =>
        new(now.UtcTicks - now.UtcTicks % interval.Ticks + interval.Ticks, TimeSpan.Zero);

    private IReadOnlyList<HealthPoint> Read(IProbe probe)
    {
        try
        {
            var points = probe.Read();
            if (_failing.Remove(probe.Name))
                Log.Recovered(log, probe.Name);
            return points;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            if (_failing.Add(probe.Name))
                Log.Failed(log, probe.Name, e.Message);
            return [];
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Probe {Probe} failed ({Reason}); the others go on, and it is tried again at every interval")]
        public static partial void Failed(ILogger log, string probe, string reason);

        [LoggerMessage(2, LogLevel.Information, "Probe {Probe} works again")]
        public static partial void Recovered(ILogger log, string probe);
    }
}
