using System.CommandLine;
using System.Globalization;
using Telemetry.Collector.Reports;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary><c>reports series</c>: what the time-series store has of one field, as numbers and as a picture.</summary>
internal static class SeriesVerb
{
    private const int Points = 50;

    // A bar is drawn of whole numbers.
    private const uint Whole = 10_000;

    private static readonly Argument<string> Measurement = new("measurement") { Description = "Such as cpu, mem, disk, drift, compliance, session." };

    private static readonly Argument<string> Field = new("field") { Description = "A field of it that is a number, such as usage_user." };

    private static readonly Option<string[]> Where = new("--where")
    {
        Description = "Only series with this tag; may be repeated.",
        HelpName = "TAG=VALUE",
        CustomParser = result =>
        {
            var tags = result.Tokens.Select(token => token.Value).ToArray();
            if (Array.Find(tags, tag => tag.IndexOf('=') is <= 0) is { } wrong)
                result.AddError($"'{wrong}' is no tag; write it as in cpu=cpu-total.");
            return tags;
        },
    };

    private static readonly Option<string[]> By = new("--by") { Description = "A series for each value of this tag; may be repeated.", HelpName = "TAG" };

    private static readonly Option<string?> Aggregate = AggregateOption(
        "--aggregate", "What becomes of the values of a step, over time", ["mean", "min", "max", "sum", "last", "count"], usual: "mean");

    private static readonly Option<string?> Across = AggregateOption(
        "--across",
        "What becomes of several series that are shown as one, when each is one value in a step. Without it all their values count as those of one series. Of counts, such as drift's, the sum is meant",
        ["sum", "mean", "min", "max"],
        usual: null);

    private static readonly Option<DateTimeOffset?> Since = TimeOption.Create("--since", "From then on; default: an hour before the end");

    private static readonly Option<DateTimeOffset?> Until = TimeOption.Create("--until", "Until then; default: now");

    private static readonly Option<TimeSpan?> Step = TimeOption.CreateDuration("--step", "Time between two points; default: such that they fit on a screen");

    public static Command Create() => CommandLine.Verb(
        "series",
        "Lists what the time-series store has of one field of a measurement over time.",
        "telemetryctl reports series cpu usage_user --where cpu=cpu-total --by host\ntelemetryctl reports series drift open --aggregate last --across sum --by instance --since 2026-03-01 --step 1d",
        RunAsync, Measurement, Field, Where, By, Aggregate, Across, Since, Until, Step);

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new ReportService.ReportServiceClient(Connection.Open(arguments));
        var until = arguments.GetValue(Until) ?? TimeProvider.System.GetUtcNow();
        var since = arguments.GetValue(Since) ?? until.AddHours(-1);
        var step = arguments.GetValue(Step) ?? StepOf(until - since);
        var request = new ListSeriesRequest
        {
            Measurement = arguments.GetValue(Measurement),
            Field = arguments.GetValue(Field),
            Aggregate = AggregateOf(arguments.GetValue(Aggregate)),
            Across = AggregateOf(arguments.GetValue(Across)),

            // Whole steps, so that the first is no part of one.
            From = since.AddTicks(-((since - DateTimeOffset.UnixEpoch).Ticks % step.Ticks)).ToTimestamp(),
            To = until.ToTimestamp(),
            Step = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(step),
        };
        foreach (var tag in arguments.GetValue(Where) ?? [])
            request.Where[tag[..tag.IndexOf('=')]] = tag[(tag.IndexOf('=') + 1)..];
        request.By.AddRange(arguments.GetValue(By) ?? []);

        var response = await client.ListSeriesAsync(request, cancellationToken: cancellation);
        var views = response.Series.Select(SeriesView.Of).ToList();
        var whenEmpty = views.Count > 0 || await IsKnownAsync(client, request, cancellation)
            ? "The time-series store has nothing of that in this time."
            : $"The time-series store has had no number '{request.Field}' of a measurement '{request.Measurement}' for a month; agent/Health/README.md lists what agents sample, and drift, compliance, session and check are the collector's own.";
        var rows = views.SelectMany(series => series.Points.Select(point => (Tags: string.Join(' ', series.Tags.Select(tag => $"{tag.Key}={tag.Value}")), Point: point))).ToList();
        var most = rows.Select(row => Math.Abs(row.Point.Value)).DefaultIfEmpty().Max();
        Output.Of(arguments).List(
            rows,
            whenEmpty,
            ["SERIES", "AT", "VALUE", ""],
            row =>
            [
                row.Tags,
                Output.Time(row.Point.At),
                row.Point.Value.ToString("0.###", CultureInfo.InvariantCulture),
                DriftCommand.Bar(Share(row.Point.Value, most), Whole),
            ],
            views);
        return ExitCode.Yes;
    }

    /// <param name="usual">What it is when it is not given; null: nothing.</param>
    private static Option<string?> AggregateOption(string name, string description, string[] words, string? usual)
    {
        var option = new Option<string?>(name)
        {
            Description = $"{description}: {string.Join(", ", words[..^1])} or {words[^1]}.",
            HelpName = "A",
            CustomParser = result =>
            {
                var word = result.Tokens[0].Value;
                if (!words.Contains(word, StringComparer.OrdinalIgnoreCase))
                    result.AddError($"'{word}' is none of {string.Join(", ", words)}.");
                return word;
            },
        };
        if (usual is not null)
            option.DefaultValueFactory = _ => usual;
        return option;
    }

    private static SeriesAggregate AggregateOf(string? word) =>
        word is null ? SeriesAggregate.Unspecified : Enum.Parse<SeriesAggregate>(word, ignoreCase: true);

    /// <summary>Whether anything has that name.</summary>
    private static async Task<bool> IsKnownAsync(ReportService.ReportServiceClient client, ListSeriesRequest asked, CancellationToken cancellation)
    {
        var request = new ListSeriesRequest
        {
            Measurement = asked.Measurement,
            Field = asked.Field,
            Aggregate = SeriesAggregate.Count,
            From = asked.To.ToDateTimeOffset().AddDays(-30).ToTimestamp(),
            To = asked.To,
        };
        try
        {
            return (await client.ListSeriesAsync(request, cancellationToken: cancellation)).Series.Count > 0;
        }
        catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.InvalidArgument)
        {
            // Too much of it to be counted.
            return true;
        }
    }

    private static uint Share(double value, double most) => value == 0 || most == 0 ? 0 : (uint)Math.Max(1, Math.Abs(value) / most * Whole);

    /// <summary>The shortest of those that people think in, of which not too many fit in.</summary>
    private static TimeSpan StepOf(TimeSpan time) =>
        ((int[])[10, 60, 300, 600, 1800, 3600, 21_600]).Select(seconds => TimeSpan.FromSeconds(seconds)).FirstOrDefault(step => time / step <= Points, TimeSpan.FromDays(1));
}
