using System.Globalization;
using System.Text;
using Telemetry.Agent.StatusReports;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Cli;

/// <summary>A report of an agent for people: one row a fact.</summary>
internal static class StatusView
{
    public static IEnumerable<string> Rows(StatusReport report)
    {
        yield return Row("agent", $"{report.Version}, pid {report.Pid}, since {Time(report.StartedAt)}");
        yield return Row("instance", report.Instance);
        yield return Row("state", report.StateDirectory + (report.InMemory ? $": can't be used ({report.InMemoryReason}), all is kept in memory" : ""));
        yield return Row("collector", Connection(report.Connection));
        yield return Row("last ack", Ack(report.LastAck));
        foreach (var row in report.Head is { } head ? HeadRows(head) : [Row("head", "none yet: the first scan is running")])
            yield return row;
        foreach (var part in report.Coverage.Watched)
            yield return Row("watched", $"{part.Path}: {part.Method}{(part.Reason is null ? "" : $" ({part.Reason})")}");
        foreach (var gap in report.Coverage.Gaps)
            yield return Row("not covered", $"{gap.Key}: {gap.Reason}");
        if (report.Coverage.GapsTotal > report.Coverage.Gaps.Count)
            yield return Row("not covered", $"and {report.Coverage.GapsTotal - report.Coverage.Gaps.Count} more");
        foreach (var path in report.Coverage.Missing ?? [])
            yield return Row("missing", $"{path} is included and was not there at the last look; it is watched from when it comes");
        yield return Row("losses", Losses(report.Losses));
        foreach (var lane in report.Spool)
            yield return Row("spool", Spool(lane));
        yield return Row("memory", $"{Megabytes(report.Memory.Resident)}, at most {Megabytes(report.Memory.Peak)}");
        yield return Row("events", $"{report.Watch.Events}, overflows {report.Watch.Overflows}, watched directories {report.Watch.Directories}, paths waiting {report.Watch.Waiting}");
    }

    private static string Connection(ConnectionStatus connection) => connection.Collector is null
        ? "none is configured"
        : $"{connection.Collector}, {connection.State} since {Time(connection.Since)}{(connection.Reason is null ? "" : $": {connection.Reason}")}";

    private static string Ack(AckStatus? ack) => ack is null
        ? "none"
        : $"epoch {ack.Epoch}, sequence {ack.Sequence}{(ack.At is { } at ? ", " + Time(at) : "")}{(ack.IsCurrent ? "" : ": not the head below")}";

    private static IEnumerable<string> HeadRows(HeadStatus head)
    {
        yield return Row("head", $"epoch {head.Epoch}, sequence {head.Sequence}, observed {Time(head.ObservedAt)}, all looked at {(head.LookedAt is { } at ? Time(at) : "never")}");
        foreach (var (kind, root) in head.Roots)
            yield return Row(kind, string.Create(CultureInfo.InvariantCulture, $"root {root[..12]}{(head.Entries is null ? "" : $", {head.Entries[kind]:N0} entries")}"));
    }

    private static string Losses(LossStatus losses) => losses.Last is { } last
        ? $"{losses.Count}, the last from {Time(last.From)} to {Time(last.To)}: {last.Reason}"
        : "none";

    private static string Spool(SpoolStatus lane) => string.Create(CultureInfo.InvariantCulture,
        $"{lane.Lane}: {lane.Records} not acknowledged{(lane.Oldest is { } oldest ? " since " + Time(oldest) : "")}, {Megabytes(lane.Bytes)}, dropped {lane.Dropped}, damaged {lane.Damaged}{(lane.InMemory ? ", kept in memory: " + lane.Reason : "")}");

    private static string Megabytes(long? bytes) => bytes is null ? "?" : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB");

    private static string Time(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // Reasons may come from elsewhere; no control character reaches a terminal.
    private static string Row(string name, string text) =>
        $"{name,-12} {(EscapedText.IsPlain(text) ? text : EscapedText.Of(Encoding.UTF8.GetBytes(text)))}";
}
