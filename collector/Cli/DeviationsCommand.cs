using System.CommandLine;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Spectre.Console;
using Telemetry.Collector.Causes;
using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class DeviationsCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "Id of a deviation, such as d-17." };
    private static readonly Option<string?> Instance = new("--instance") { Description = "Only of this instance.", HelpName = "ID" };
    private static readonly Option<string?> State = new Option<string?>("--state")
    {
        Description = "Only in this state: open (nobody decided), acknowledged, waived, approved or resolved (closed). Default: all.",
        HelpName = "STATE",
    }.AcceptOnlyFromAmong("open", "acknowledged", "waived", "approved", "resolved");

    private static readonly Option<string?> Cause = new("--cause") { Description = "Only of this cause, such as c-3.", HelpName = "ID" };

    private static readonly Option<string?> Layer = new("--layer") { Description = "Only of this layer: NAME:VERSION, or NAME for all its versions.", HelpName = "L" };

    private static readonly Option<string?> Owner = new("--owner") { Description = "Only of layers of this owner.", HelpName = "O" };

    private static readonly Argument<string[]> Ids = new("ID") { Description = "Ids of open deviations, such as d-17.", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> OfCause = new("--cause") { Description = "Instead of ids: what nobody decided on yet of this cause; to waive or approve, also what is acknowledged.", HelpName = "ID" };
    private static readonly Option<string?> OfInstance = new("--instance") { Description = "Instead of ids: the same of this instance. What is waived or approved is taken by its id alone.", HelpName = "ID" };
    private static readonly Option<string> Reason = new("--reason") { Description = "Why; kept with the decision.", HelpName = "T", Required = true };
    private static readonly Option<string> Into = new("--into") { Description = "The layer version to make.", HelpName = "LAYER:VERSION", Required = true };
    private static readonly Option<string?> LayerOwner = new("--owner") { Description = "Of a layer that is new. Default: whoever owns the line's base.", HelpName = "O" };
    private static readonly Option<bool> WithOutliers = new("--with-outliers") { Description = "Of a cause: also what stands out from it, which is left out otherwise; 'causes show' lists it." };
    private static readonly Option<DateTimeOffset?> Until = Required(TimeOption.Create("--until", "When it ends"));

    private static readonly Option<string?> Cursor = new("--cursor")
    {
        Description = "Resume behind the cursor of an earlier line. Default: from now on.",
        HelpName = "C",
    };

    public static Command Create() => new("deviations", "Where instances differ from their baselines.")
    {
        CommandLine.Verb("list", "Lists deviations, newest first.", "telemetryctl deviations list --instance i-1 --state open\ntelemetryctl deviations list --cause c-3", ListAsync, Instance, State, Cause, Layer, Owner),
        CommandLine.Verb("show", "Shows one deviation, and how it would be undone.", "telemetryctl deviations show d-17", ShowAsync, Id),
        CommandLine.Verb("ack", "Says that somebody has seen them. They stay open.", "telemetryctl deviations ack d-17 d-18 --reason 'ticket 4711'", AcknowledgeAsync, Ids, OfCause, OfInstance, WithOutliers, Reason),
        CommandLine.Verb("waive", "Tolerates exactly what they are, until a date; then they are open as before.", "telemetryctl deviations waive d-17 --until 2026-12-31 --reason 'until the migration is done'", WaiveAsync, Ids, OfCause, OfInstance, WithOutliers, Until, Reason),
        CommandLine.Verb("approve", "Makes what they are part of a layer, and of the next version of their line.", "telemetryctl deviations approve --cause c-3 --into apache:2.4.65-1 --reason 'security update'", ApproveAsync, Ids, OfCause, OfInstance, Into, LayerOwner, LayersCommand.Resolve, WithOutliers, Reason),
        CommandLine.Verb("watch", "Follows deviations as they open, change and close, until Ctrl-C, and also across restarts of the collector.", "telemetryctl deviations watch\ntelemetryctl deviations watch --output json --cursor MTI", WatchAsync, Instance, Owner, Cursor),
    };

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new ListDeviationsRequest
        {
            InstanceId = arguments.GetValue(Instance) ?? "",
            CauseId = arguments.GetValue(Cause) ?? "",
            Layer = arguments.GetValue(Layer) ?? "",
            Owner = arguments.GetValue(Owner) ?? "",
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
            ["ID", "INSTANCE", "OPENED", "SEVERITY", "STATE", "CHANGE", "LAYER", "BY", "CAUSE", "KEY"],
            deviation =>
            [
                deviation.Id, deviation.Instance, Output.Time(deviation.OpenedAt), deviation.Severity, deviation.State, deviation.Change, deviation.Layer ?? "-",
                Output.Cut(deviation.Actor?.Text ?? "-"), Output.Cut(deviation.Cause is { } cause ? $"{cause.Id} {cause.Summary}" : "-"), deviation.Key,
            ]);
        return ExitCode.Yes;
    }

    private static async Task<int> ShowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new GetDeviationRequest { Id = arguments.GetValue(Id) };
        var response = await client.GetDeviationAsync(request, cancellationToken: cancellation);
        var deviation = DeviationView.Of(response.Deviation) with
        {
            Reversal = [.. response.Reversal],
            Decisions = [.. response.Decisions.Select(decision => DecisionView.Of(decision)!)],
        };
        Output.Of(arguments).Show(deviation,
        [
            ("id", deviation.Id),
            ("instance", deviation.Instance),
            ("key", deviation.Key),
            ("change", deviation.Change),
            ("severity", deviation.Severity),
            ("state", deviation.State),
            ("baseline", deviation.Baseline),
            ("layer", deviation.Layer is null ? null : $"{deviation.Layer} of {deviation.Owner}"),
            ("expected", deviation.Expected?.Summary ?? "nothing"),
            ("actual", deviation.Actual?.Summary ?? "nothing"),
            ("by", deviation.Actor?.Text),
            ("command line", deviation.Actor?.Cmdline),
            ("in transaction", deviation.Membership),
            ("cause", deviation.Cause is { } cause ? $"{cause.Id} {cause.Summary}" : null),
            ("decision", deviation.Decision?.Text),
            ("decided so far", Lines(deviation.Decisions.Select(decision => $"{Output.Time(decision.At)} {decision.Text}"))),
            ("to undo it", Lines(deviation.Reversal)),
            ("opened", Output.Time(deviation.OpenedAt)),
            ("closed", Output.Time(deviation.ClosedAt)),
            ("happened between", $"{(deviation.ObservedAfter is null ? "an unknown time" : Output.Time(deviation.ObservedAfter))} and {Output.Time(deviation.ObservedBefore)}"),
        ]);
        return ExitCode.Yes;
    }

    /// <summary>Below each other, behind the name.</summary>
    private static string Lines(IEnumerable<string> lines) => string.Join("\n" + new string(' ', 18), lines);

    private static async Task<int> AcknowledgeAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new AcknowledgeRequest { Scope = ScopeOf(arguments), Reason = arguments.GetValue(Reason) };
        var response = await client.AcknowledgeAsync(request, cancellationToken: cancellation);
        return await DecidedAsync(arguments, response.Decision, response.LeftOut);
    }

    private static async Task<int> WaiveAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var until = arguments.GetValue(Until)!.Value;
        if (until <= TimeProvider.System.GetUtcNow())
            throw new CommandException(ExitCode.WrongUsage, $"{Output.Time(until.UtcDateTime)} is over; name a time to come with --until.");

        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new WaiveRequest
        {
            Scope = ScopeOf(arguments),
            Until = until.ToTimestamp(),
            Reason = arguments.GetValue(Reason),
        };
        var response = await client.WaiveAsync(request, cancellationToken: cancellation);
        return await DecidedAsync(arguments, response.Decision, response.LeftOut);
    }

    private static async Task<int> ApproveAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new ApproveRequest
        {
            Scope = ScopeOf(arguments),
            Into = arguments.GetValue(Into),
            Owner = arguments.GetValue(LayerOwner) ?? "",
            Reason = arguments.GetValue(Reason),
            Resolutions = { LayersCommand.Resolutions(arguments).ToDictionary() },
        };
        var response = await JudgementProgress.During(arguments, client.ApproveAsync(request, cancellationToken: cancellation));
        LayersCommand.ShowSettled(response.Settled);
        var leftOut = await TellLeftOutAsync(response.LeftOut);
        var decision = DecisionView.Of(response.Decision)!;
        Output.Of(arguments).Show(
            new { Decision = decision, response.Deviations, LeftOutCount = response.LeftOut.Count, LeftOut = leftOut },
            [("approved", Counted.Of(response.Deviations, "deviation")), ("layer", decision.Layer), ("baseline", decision.Baseline), ("reason", decision.Reason)]);
        return ExitCode.Yes;
    }

    /// <summary>Nobody should think that everything of a cause or an instance is decided as he said now.</summary>
    private static async Task<IReadOnlyList<OutlierView>> TellLeftOutAsync(LeftOut leftOut)
    {
        const int MostNamed = 20;
        var outliers = leftOut.Outliers.Select(OutlierView.Of).ToList();
        foreach (var outlier in outliers.Take(MostNamed))
            await Console.Error.WriteLineAsync(Output.Plain($"Left out: {outlier.Text}"));
        var more = leftOut.Count > MostNamed ? $"And {leftOut.Count - MostNamed} more. " : "";
        if (leftOut.Count > 0)
            await Console.Error.WriteLineAsync(Output.Plain(more + Summary(leftOut)));
        return outliers;
    }

    private static string Summary(LeftOut leftOut)
    {
        var standingOut = leftOut.Count - leftOut.NeedIds;
        var (outliers, hint) = standingOut > 0
            ? ($"{standingOut} that stand out from the cause", "; on what stands out also by the cause with --with-outliers")
            : ("", "");
        var decided = leftOut.NeedIds > 0 ? $"{leftOut.NeedIds} on which, or on a part of whose file, somebody decided before" : "";
        return $"Left out in all: {string.Join(", ", new[] { outliers, decided }.Where(part => part.Length > 0))}. Decide on them by their ids{hint}.";
    }

    private static Protocol.V1.DecisionScope ScopeOf(ParseResult arguments)
    {
        var scope = new Protocol.V1.DecisionScope
        {
            CauseId = arguments.GetValue(OfCause) ?? "",
            InstanceId = arguments.GetValue(OfInstance) ?? "",
            WithOutliers = arguments.GetValue(WithOutliers),
        };
        scope.Ids.AddRange(arguments.GetValue(Ids) ?? []);
        return scope;
    }

    private static async Task<int> DecidedAsync(ParseResult arguments, Protocol.V1.Decision message, LeftOut leftOut)
    {
        await TellLeftOutAsync(leftOut);
        var decision = DecisionView.Of(message)!;
        Output.Of(arguments).Show(decision, [(decision.Gives, decision.Until is null ? "as long as they are what they are" : $"until {Output.Time(decision.Until)}"), ("reason", decision.Reason)]);
        return ExitCode.Yes;
    }

    private static Option<T> Required<T>(Option<T> option)
    {
        option.Required = true;
        return option;
    }

    private static async Task<int> WatchAsync(ParseResult arguments, CancellationToken cancellation)
    {
        // It ends with whoever reads it, and need not fail to print for that.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var gone = StandardOutput.WaitUntilGoneAsync(ending.Token);
        var following = FollowAsync(arguments, ending.Token);
        await Task.WhenAny(following, gone);
        await ending.CancelAsync();
        try
        {
            await following;
        }
        catch (Exception e) when ((gone.IsCompletedSuccessfully || cancellation.IsCancellationRequested)
            && e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled } or IOException)
        {
            // As it was asked to.
        }

        return ExitCode.Yes;
    }

    private static async Task FollowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var output = Output.Of(arguments);
        var watch = new DeviationWatch(cursor => Open(arguments, cursor, cancellation), Console.Error, Random.Shared.NextDouble, TimeProvider.System);
        try
        {
            await watch.FollowAsync(arguments.GetValue(Cursor) ?? "", response => output.Line(ToView(response), Print), cancellation);
        }
        finally
        {
            if (!output.IsJson && !Console.IsErrorRedirected && watch.Cursor.Length > 0)
                await Console.Error.WriteLineAsync($"'telemetryctl deviations watch --cursor {watch.Cursor}' goes on from here.");
        }
    }

    private static async IAsyncEnumerable<WatchDeviationsResponse> Open(ParseResult arguments, string cursor, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new WatchDeviationsRequest
        {
            Cursor = cursor,
            Owner = arguments.GetValue(Owner) ?? "",
            InstanceId = arguments.GetValue(Instance) ?? "",
        };
        using var call = client.WatchDeviations(request, cancellationToken: cancellation);
        await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
            yield return response;
    }

    private static TransitionView ToView(WatchDeviationsResponse response) =>
        new(DeviationView.Word(response.Transition), response.At.ToDateTime(), response.Cursor, DeviationView.Of(response.Deviation));

    private static void Print(TransitionView view)
    {
        var colour = view.Deviation.ClosedAt is not null ? "green" : view.Deviation.Severity switch
        {
            "critical" => "red bold",
            "high" => "red",
            "medium" => "yellow",
            _ => "default",
        };
        var terminal = Output.Terminal();
        var text = TransitionText.Of(view, Console.IsOutputRedirected ? null : PlainConsole.Width);
        terminal.MarkupLineInterpolated($"{text.Before}[{colour}]{Output.Plain(text.Entry)}[/]{Output.Plain(text.After)}");
        foreach (var detail in text.Details)
            terminal.MarkupLineInterpolated($"{Output.Plain(detail)}");
    }
}
