using System.CommandLine;
using Grpc.Core;
using Spectre.Console;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class DeviationsCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "Id of a deviation, such as d-17." };
    private static readonly Option<string?> Instance = new("--instance") { Description = "Only of this instance.", HelpName = "ID" };
    private static readonly Option<string?> State = new Option<string?>("--state")
    {
        Description = "Only in this state. Default: all.",
        HelpName = "STATE",
    }.AcceptOnlyFromAmong("open", "acknowledged", "waived", "approved", "resolved");

    private static readonly Option<string?> Cause = new("--cause") { Description = "Only of this cause, such as c-3.", HelpName = "ID" };

    private static readonly Option<string?> Cursor = new("--cursor")
    {
        Description = "Resume behind the cursor of an earlier line. Default: from now on.",
        HelpName = "C",
    };

    public static Command Create() => new("deviations", "Where instances differ from their baselines.")
    {
        CommandLine.Verb("list", "Lists deviations, newest first.", "telemetryctl deviations list --instance i-1 --state open\ntelemetryctl deviations list --cause c-3", ListAsync, Instance, State, Cause),
        CommandLine.Verb("show", "Shows one deviation.", "telemetryctl deviations show d-17", ShowAsync, Id),
        CommandLine.Verb("watch", "Follows deviations as they open, change and close, until Ctrl-C.", "telemetryctl deviations watch\ntelemetryctl deviations watch --output json --cursor MTI", WatchAsync, Instance, Cursor),
    };

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new ListDeviationsRequest
        {
            InstanceId = arguments.GetValue(Instance) ?? "",
            CauseId = arguments.GetValue(Cause) ?? "",
            State = arguments.GetValue(State) is { } state
                ? Enum.Parse<Protocol.V1.DeviationState>(state, ignoreCase: true)
                : Protocol.V1.DeviationState.Unspecified,
        };
        var deviations = new List<DeviationView>();
        do
        {
            var page = await client.ListDeviationsAsync(request, cancellationToken: cancellation);
            deviations.AddRange(page.Deviations.Select(DeviationView.Of));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Output.Of(arguments).List(
            deviations,
            "No deviations.",
            ["ID", "INSTANCE", "OPENED", "SEVERITY", "STATE", "CHANGE", "BY", "CAUSE", "KEY"],
            deviation =>
            [
                deviation.Id, deviation.Instance, Output.Time(deviation.OpenedAt), deviation.Severity, deviation.State, deviation.Change,
                Output.Cut(deviation.Actor?.Text ?? "-"), Output.Cut(deviation.Cause is { } cause ? $"{cause.Id} {cause.Summary}" : "-"), deviation.Key,
            ]);
        return ExitCode.Yes;
    }

    private static async Task<int> ShowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new GetDeviationRequest { Id = arguments.GetValue(Id) };
        var deviation = DeviationView.Of((await client.GetDeviationAsync(request, cancellationToken: cancellation)).Deviation);
        Output.Of(arguments).Show(deviation,
        [
            ("id", deviation.Id),
            ("instance", deviation.Instance),
            ("key", deviation.Key),
            ("change", deviation.Change),
            ("severity", deviation.Severity),
            ("state", deviation.State),
            ("baseline", deviation.Baseline),
            ("expected", deviation.Expected?.Summary ?? "nothing"),
            ("actual", deviation.Actual?.Summary ?? "nothing"),
            ("by", deviation.Actor?.Text),
            ("command line", deviation.Actor?.Cmdline),
            ("in transaction", deviation.Membership),
            ("cause", deviation.Cause is { } cause ? $"{cause.Id} {cause.Summary}" : null),
            ("opened", Output.Time(deviation.OpenedAt)),
            ("closed", Output.Time(deviation.ClosedAt)),
            ("happened between", $"{(deviation.ObservedAfter is null ? "an unknown time" : Output.Time(deviation.ObservedAfter))} and {Output.Time(deviation.ObservedBefore)}"),
        ]);
        return ExitCode.Yes;
    }

    private static async Task<int> WatchAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var output = Output.Of(arguments);
        var instance = arguments.GetValue(Instance);
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new WatchDeviationsRequest { Cursor = arguments.GetValue(Cursor) ?? "" };
        using var call = client.WatchDeviations(request, cancellationToken: cancellation);
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
            {
                if (response.Deviation is null)
                {
                    await Console.Error.WriteLineAsync("Following deviations; Ctrl-C ends.");
                    continue;
                }

                if (instance is null || response.Deviation.InstanceId == instance)
                    output.Line(ToView(response), Print);
            }
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            return ExitCode.Yes;
        }

        return ExitCode.Yes;
    }

    private static TransitionView ToView(WatchDeviationsResponse response) =>
        new(DeviationView.Word(response.Transition), response.At.ToDateTime(), response.Cursor, DeviationView.Of(response.Deviation));

    private static void Print(TransitionView view)
    {
        var deviation = view.Deviation;
        var isClosed = deviation.ClosedAt is not null;
        var colour = isClosed ? "green" : deviation.Severity switch
        {
            "critical" => "red bold",
            "high" => "red",
            "medium" => "yellow",
            _ => "default",
        };
        var time = Output.Time(view.At);
        var terminal = Output.Terminal();
        terminal.MarkupLineInterpolated($"{time}  {view.Transition,-7}  [{colour}]{deviation.Severity,-8}  {deviation.Change,-7}  {deviation.Key}[/]  {deviation.Instance} {deviation.Id}");
        if (isClosed)
            return;

        terminal.MarkupLineInterpolated($"    expected  {deviation.Expected?.Summary ?? "nothing"}");
        terminal.MarkupLineInterpolated($"    actual    {deviation.Actual?.Summary ?? "nothing"}");
        if (deviation.Actor is { } actor)
            terminal.MarkupLineInterpolated($"    by        {actor.Text}");
        if (deviation.Cause is { Kind: not "unexplained" } cause)
            terminal.MarkupLineInterpolated($"    cause     {cause.Id} {cause.Summary}");
    }
}
