using System.CommandLine;
using Telemetry.Collector.Reports;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary><c>instances drift</c>: how much an instance deviated over time, as numbers and as a picture.</summary>
internal static class DriftCommand
{
    private const int BarWidth = 40;

    private static readonly Option<DateTimeOffset?> Since = TimeOption.Create("--since", "From then on; default: a week before the end");

    private static readonly Option<DateTimeOffset?> Until = TimeOption.Create("--until", "Until then; default: now");

    private static readonly Option<TimeSpan?> Step = TimeOption.CreateDuration("--step", "Time between two points; default: such that they fit on a screen");

    public static Command Create(Argument<string> id) => CommandLine.Verb(
        "drift",
        "Lists how many deviations of an instance were not closed over time, by severity, from what the collector knows of each: open ones and those decided on.",
        "telemetryctl instances drift i-1\ntelemetryctl instances drift i-1 --since 2026-03-01 --until 2026-04-01 --step 1d",
        (arguments, cancellation) => RunAsync(arguments.GetValue(id)!, arguments, cancellation), id, Since, Until, Step);

    private static async Task<int> RunAsync(string id, ParseResult arguments, CancellationToken cancellation)
    {
        var client = new ReportService.ReportServiceClient(Connection.Open(arguments));
        var until = arguments.GetValue(Until) ?? TimeProvider.System.GetUtcNow();
        var request = new ListDriftRequest
        {
            InstanceId = id,
            From = (arguments.GetValue(Since) ?? until.AddDays(-7)).ToTimestamp(),
            To = until.ToTimestamp(),
            Step = arguments.GetValue(Step) is { } step ? Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(step) : null,
        };
        var response = await client.ListDriftAsync(request, cancellationToken: cancellation);
        var points = response.Points.Select(DriftView.Of).ToList();
        var most = points.Select(point => point.Open).DefaultIfEmpty().Max();
        Output.Of(arguments).List(
            points,
            "Nothing is known of that time: the instance was first seen later.",
            ["AT", "NOT CLOSED", "CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO", ""],
            point =>
            [
                Output.Time(point.At),
                $"{point.Open}",
                $"{point.Critical}",
                $"{point.High}",
                $"{point.Medium}",
                $"{point.Low}",
                $"{point.Info}",
                Bar(point.Open, most),
            ]);
        return ExitCode.Yes;
    }

    /// <summary>A bar for a number, to an eighth of a character; whatever is not 0 is seen.</summary>
    public static string Bar(uint number, uint most)
    {
        const string Eighths = "▏▎▍▌▋▊▉";
        if (number == 0)
            return "";
        var eighths = (int)Math.Max(1, (long)number * BarWidth * 8 / most);
        return new string('█', eighths / 8) + (eighths % 8 == 0 ? "" : Eighths[(eighths % 8) - 1]);
    }
}
