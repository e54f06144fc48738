using System.CommandLine;
using Telemetry.Collector.Reports;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class ReportsCommand
{
    private static readonly Option<string?> Instance = new("--instance") { Description = "Of this instance only.", HelpName = "ID" };

    private static readonly Option<DateTimeOffset?> Since = TimeOption.Create("--since", "From then on; default: a day before the end");

    private static readonly Option<DateTimeOffset?> Until = TimeOption.Create("--until", "Until then; default: now");

    public static Command Create() => new("reports", "What was measured over time.")
    {
        CommandLine.Verb(
            "coverage",
            "Says what became of the metric points of each instance and hour: collected by the agent, stored by the time-series store, rejected and why, lost, dropped because nobody wanted them, missing, and waiting: on their way.",
            "telemetryctl reports coverage\ntelemetryctl reports coverage --instance i-1 --since 2026-03-03T10:00Z",
            CoverageAsync, Instance, Since, Until),
        SeriesVerb.Create(),
        CommandLine.Verb(
            "timeseries",
            "Says whether the time-series store takes points: what it is, what a test with a point of the collector's own found, what waits for it and what it refused for good. Exits with 1 when it takes none.",
            "telemetryctl reports timeseries",
            TimeSeriesAsync),
    };

    private static async Task<int> CoverageAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new ReportService.ReportServiceClient(Connection.Open(arguments));
        var until = arguments.GetValue(Until) ?? TimeProvider.System.GetUtcNow();
        var request = new ListPointAccountsRequest
        {
            InstanceId = arguments.GetValue(Instance) ?? "",
            From = (arguments.GetValue(Since) ?? until.AddDays(-1)).ToTimestamp(),
            To = until.ToTimestamp(),
        };
        var response = await client.ListPointAccountsAsync(request, cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Accounts.Select(PointAccountView.Of)],
            "No metric points in that time. Agents sample none for a collector whose [timeseries] kind is \"none\".",
            ["INSTANCE", "HOUR", "COLLECTED", "STORED", "REJECTED", "LOST (FULL)", "LOST (DAMAGED)", "DROPPED", "WAITING", "MISSING", "MISSING BATCHES"],
            account =>
            [
                account.Instance,
                Output.Time(account.Hour),
                $"{account.Collected}",
                $"{account.Stored}",
                account.Rejected == 0 ? "0" : $"{account.Rejected} ({string.Join(", ", account.Rejections.Select(reason => $"{reason.Key} {reason.Value}"))})",
                $"{account.LostFull}",
                $"{account.LostDamaged}",
                $"{account.Dropped}",
                $"{account.Waiting}",
                $"{account.Missing}",
                $"{account.MissingBatches}",
            ]);
        return ExitCode.Yes;
    }

    private static async Task<int> TimeSeriesAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new ReportService.ReportServiceClient(Connection.Open(arguments));
        var status = TimeSeriesView.Of(await client.GetTimeSeriesStatusAsync(new GetTimeSeriesStatusRequest(), cancellationToken: cancellation));
        Output.Of(arguments).Show(status,
            [
                ("store", status.Store),
                ("version", status.Version),
                ("state", status.State.Replace('_', ' ')),
                ("", status.Words),
                ("since", Output.Time(status.Since)),
                ("last written", Output.Time(status.WrittenAt)),
                ("waiting", $"{status.WaitingPoints} points, {status.WaitingBytes} bytes"),
                ("set aside", status.SetAside == 0 ? "0 points" : $"{status.SetAside} points, in {status.SetAsideFile}"),
                ("series", status.MaxSeries == 0 ? null : $"{status.Series} of {status.MaxSeries}"),
                ("refused", status.RefusedPoints == 0 ? null : $"{status.RefusedPoints} points of series that would be too many"),
                .. status.Refusals.Select(refusal => ($"  {refusal.Instance}", (string?)$"{refusal.Points} points: {refusal.Reason}, such as {refusal.Example}")),
                ("left out", status.LeftOutTexts == 0 ? null : $"{status.LeftOutTexts} texts, for it keeps numbers only"),
                ("tested", status.TestedAt is { } tested ? $"{Output.Time(tested)}, {Output.Duration(TimeProvider.System.GetUtcNow().UtcDateTime - tested)} ago" : null),
                .. status.Checks.Select(check => ($"  {check.Name}", (string?)$"{check.Outcome.Replace('_', ' ')}: {check.Words}")),
            ]);
        return status.State == "working" ? ExitCode.Yes : ExitCode.No;
    }
}
