using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Telemetry.Agent.Health;

/// <summary>Samples each probe at the boundaries of its interval, as long as the collector wants it. What is late is told when it comes.</summary>
internal sealed partial class HealthLoop(
    IEnumerable<IProbe> probes, HealthQueue queue, HealthOptions options, TimeProvider clock, ILogger<HealthLoop> log) : BackgroundService
{
    // Many times what a probe takes that does not hang.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly IReadOnlyList<ProbeRun> _probes =
        [.. probes.Select(probe => new ProbeRun(probe, options.IntervalOf(probe.Name), options.Timeout, clock))];

    private readonly List<(DateTimeOffset Time, Task<ProbeReport> Read)> _late = [];
    private readonly Dictionary<string, string> _troubles = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TimeSpan[] intervals = [.. _probes.Select(probe => probe.Interval).Append(options.Interval).Distinct()];
        var next = DateTimeOffset.MinValue;
        while (!stoppingToken.IsCancellationRequested)
        {
            // A timer counts whole milliseconds, and may ring just before the boundary it was set for: that one is done with.
            var now = clock.GetUtcNow();
            next = Next(now < next && next - now < intervals.Min() ? next : now, intervals);
            await WaitAsync(next - now, stoppingToken);
            if (stoppingToken.IsCancellationRequested)
                break;

            // Those at the interval itself are also the evidence that this machine ran: they are told though they have no points.
            var isEvidence = next.UtcTicks % options.Interval.Ticks == 0;
            IReadOnlyList<HealthPoint> points = queue.IsWanted ? await ReadAsync(next) : [];
            if (points.Count > 0 || (isEvidence && queue.IsPresenceWanted))
                queue.Add(new HealthSample(next, points));
        }
    }

    /// <summary>The next whole multiple of any of the intervals.</summary>
    internal static DateTimeOffset Next(DateTimeOffset now, params ReadOnlySpan<TimeSpan> intervals)
    {
        var next = long.MaxValue;
        foreach (var interval in intervals)
            next = Math.Min(next, now.UtcTicks - now.UtcTicks % interval.Ticks + interval.Ticks);
        return new DateTimeOffset(next, TimeSpan.Zero);
    }

    /// <summary>Tells meanwhile what was late: a sample of its own, of the time it was asked at.</summary>
    private async Task WaitAsync(TimeSpan time, CancellationToken cancellation)
    {
        var waiting = Task.Delay(time, clock, cancellation);
        while (_late.Count > 0 && await Task.WhenAny([waiting, .. _late.Select(late => late.Read)]) != waiting)
        {
            var (asked, read) = _late.Find(late => late.Read.IsCompleted);
            _late.RemoveAll(late => late.Read == read);
            var points = Tell([await read]);
            if (queue.IsWanted)
                queue.Add(new HealthSample(asked, points));
        }

        await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// All that are due, one after the other, which takes one thread; but one that is slow is not waited for, neither by the next nor by
    /// what the others have found.
    /// </summary>
    private async Task<IReadOnlyList<HealthPoint>> ReadAsync(DateTimeOffset time)
    {
        var reports = new List<ProbeReport>(_probes.Count);
        foreach (var probe in _probes)
        {
            if (!probe.IsDue(time))
                continue;
            var read = probe.ReadAsync();
            await ((Task)read).WaitAsync(Patience, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (read.IsCompleted)
                reports.Add(await read);
            else
                _late.Add((time, read));
        }

        return Tell(reports);
    }

    /// <returns>The points of some probes, and behind them how each of these did.</returns>
    private IReadOnlyList<HealthPoint> Tell(IReadOnlyList<ProbeReport> reports)
    {
        foreach (var report in reports)
            Tell(report);
        return [.. reports.SelectMany(report => report.Points), .. reports.Select(report => report.ToPoint())];
    }

    /// <summary>Once when it begins, and once when it is over.</summary>
    private void Tell(ProbeReport report)
    {
        if (report.Trouble is null)
        {
            if (_troubles.Remove(report.Probe))
                Log.Recovered(log, report.Probe);
            return;
        }

        if (!_troubles.TryAdd(report.Probe, report.Trouble))
            return;
        if (report.Outcome == ProbeOutcome.Failed)
            Log.Failed(log, report.Probe, report.Trouble);
        else
            Log.Skipped(log, report.Probe, report.Skipped, report.Trouble);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Probe {Probe} failed ({Reason}); the others go on, and it is tried again at every interval")]
        public static partial void Failed(ILogger log, string probe, string reason);

        [LoggerMessage(2, LogLevel.Information, "Probe {Probe} works again")]
        public static partial void Recovered(ILogger log, string probe);

        [LoggerMessage(3, LogLevel.Information, "Probe {Probe} left out {Count} of what it reads: {Reasons}. The rest is told")]
        public static partial void Skipped(ILogger log, string probe, int count, string reasons);
    }
}
