using System.Buffers.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>agent</c>: how this program itself is. How its probes are is added when all of them were read.</summary>
/// <param name="figures">Asks the parts that know.</param>
internal sealed class AgentProbe(string proc, Func<AgentFigures> figures, TimeProvider clock) : IProbe
{
    private readonly byte[] _statm = KernelFile.PathOf(proc, "self/statm");
    private (long At, TimeSpan Used)? _before;

    public string Name => "agent";

    public void Read(ProbeReading reading)
    {
        var now = figures();
        var fields = new List<HealthField>
        {
            HealthField.Of("events", now.Events),
            HealthField.Of("event_overflows", now.Overflows),
            HealthField.Of("losses", now.Losses),
            HealthField.Of("watched_parts", now.WatchedParts),
            HealthField.Of("coverage_gaps", now.CoverageGaps),
            HealthField.Of("spool_records", now.SpoolRecords),
            HealthField.Of("spool_bytes", now.SpoolBytes),
            HealthField.Of("spool_dropped", now.SpoolDropped),
        };
        if (now.Entries is { } entries)
            fields.Add(HealthField.Of("entries", entries));
        if (now.AckLatency is { } latency)
            fields.Add(HealthField.Of("ack_latency_ns", (long)latency.TotalNanoseconds));
        if (Resident() is { } resident)
            fields.Add(HealthField.Of("memory_resident", resident));
        if (Processor(now.Processor) is { } percent)
            fields.Add(HealthField.Of("cpu_percent", percent));
        reading.Add(Name, [.. fields]);
    }

    /// <summary>Bytes: the second column of proc_pid_statm(5) are pages.</summary>
    private long? Resident()
    {
        if (!KernelFile.TryRead(_statm, out var file))
            return null;
        using (file)
        {
            var line = file.Text;
            Columns.NextWord(ref line);
            return Utf8Parser.TryParse(line, out long pages, out _) ? pages * Environment.SystemPageSize : null;
        }
    }

    /// <summary>Of one processor, since the look before.</summary>
    private double? Processor(TimeSpan used)
    {
        var now = clock.GetTimestamp();
        double? percent = _before is { } before && clock.GetElapsedTime(before.At, now) is var elapsed && elapsed > TimeSpan.Zero
            ? 100 * (used - before.Used) / elapsed
            : null;
        _before = (now, used);
        return percent;
    }
}

/// <summary>What the agent's parts say of themselves. Counts are since it started, but for entries, what waits, and what is covered now.</summary>
/// <param name="Entries">Null when they can't be counted.</param>
/// <param name="Events">That the kernel told.</param>
/// <param name="Overflows">How often it had more to tell than it kept.</param>
/// <param name="Losses">How often changes may have gone unseen.</param>
/// <param name="CoverageGaps">Of the last head.</param>
/// <param name="SpoolRecords">That are not acknowledged.</param>
/// <param name="SpoolDropped">Points and changes that gave way, or could not be read again.</param>
/// <param name="AckLatency">Of the last metrics that were acknowledged, from when they were sent; null before.</param>
/// <param name="Processor">Time of all threads.</param>
internal sealed record AgentFigures(
    long? Entries,
    long Events,
    long Overflows,
    long Losses,
    int WatchedParts,
    int CoverageGaps,
    long SpoolRecords,
    long SpoolBytes,
    long SpoolDropped,
    TimeSpan? AckLatency,
    TimeSpan Processor);
