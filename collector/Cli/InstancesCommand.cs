using System.CommandLine;
using System.Globalization;
using Telemetry.Collector.Checks;
using Telemetry.Collector.Fleet;
using Telemetry.Collector.Reports;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class InstancesCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "Id of the instance, or its name if no other has it." };

    private static readonly Option<DateTimeOffset?> Until = TimeOption.Create("--until", "Only what was observed then or earlier");

    private static readonly Option<DateTimeOffset?> Since = TimeOption.Create("--since", "From then on; default: a day before the end");

    private static readonly Option<DateTimeOffset?> End = TimeOption.Create("--until", "Until then; default: now");

    private static readonly Option<uint> Limit = NumberOption.Create("--limit", 100, 1_000);

    public static Command Create() => new("instances", "The fleet: who is there, and how it is doing.")
    {
        CommandLine.Verb("list", "Lists all instances. Open deviations are marked as incomplete where the last comparison left something out; 'show', and 'comparison' in the JSON, say what.", "telemetryctl instances list --output json", ListAsync),
        CommandLine.Verb("show", "Shows one instance with its head and coverage.", "telemetryctl instances show i-1", ShowAsync, Id),
        CommandLine.Verb(
            "history",
            "Lists what an instance was, newest first, and how many entries each state differs in from the one before. 'diff' shows them: i-1@TIME.",
            "telemetryctl instances history i-1\ntelemetryctl instances history i-1 --until 2026-03-03T10:00Z --limit 10",
            HistoryAsync, Id, Until, Limit),
        CommandLine.Verb(
            "availability",
            "Lists when an instance was up, when it was down, and when nobody knows. A mere lack of contact is unknown: down is a reboot: from the last sign of life to a boot at most ten minutes later.",
            "telemetryctl instances availability i-1\ntelemetryctl instances availability i-1 --since 2026-03-01T00:00Z --until 2026-04-01T00:00Z",
            AvailabilityAsync, Id, Since, End),
        DriftCommand.Create(Id),
    };

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new FleetService.FleetServiceClient(Connection.Open(arguments));
        var response = await client.ListInstancesAsync(new ListInstancesRequest(), cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Instances.Select(InstanceView.Of)],
            "No instance yet. An agent appears here when it connects: set 'collector' in its agent.toml.",
            ["ID", "NAME", "STATE", "BASELINE", "OPEN", "DECIDED", "OBSERVED", "LAST SEEN"],
            instance =>
            [
                instance.Id,
                instance.Name,
                instance.State,
                instance.Baseline ?? "-",
                instance.Comparison is null ? $"{instance.OpenDeviations}" : $"{instance.OpenDeviations} (incomplete)",
                $"{instance.DecidedDeviations}",
                Output.Time(instance.Head?.ObservedAt),
                Output.Time(instance.LastSeen),
            ]);
        return ExitCode.Yes;
    }

    private static async Task<int> ShowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new FleetService.FleetServiceClient(Connection.Open(arguments));
        var request = new GetInstanceRequest { Id = arguments.GetValue(Id) };
        var response = await client.GetInstanceAsync(request, cancellationToken: cancellation);
        var instance = InstanceView.Of(response.Instance) with { Nearest = NearestView.Of(response.Nearest), Checks = [.. response.Checks.Select(CheckView.Of)] };
        Output.Of(arguments).Show(instance,
        [
            ("id", instance.Id),
            ("name", instance.Name),
            ("state", instance.State),
            ("group", instance.Group),
            ("customer", instance.Customer),
            ("tags", string.Join(' ', instance.Tags.Select(tag => $"{tag.Key}={tag.Value}"))),
            ("image", instance.Image),
            ("baseline", instance.Baseline ?? Unbound(instance)),
            ("open deviations", $"{instance.OpenDeviations}"),
            ("decided on", instance.DecidedDeviations == 0 ? null : $"{instance.DecidedDeviations} more: acknowledged, waived or approved"),
            ("comparison", instance.Comparison),
            ("agent", instance.AgentVersion),
            ("last seen", Output.Time(instance.LastSeen)),
            ("contested", instance.ContestedAt is { } at ? $"another machine claimed to be this one, last {Output.Time(at)}: a disk was cloned" : null),
            ("missing", instance.MissingNoticedAt is { } noticed ? $"{instance.MissingBatches} deliveries of metrics never came, noticed last {Output.Time(noticed)}; 'reports coverage' has them by hour" : null),
            ("clock", instance.ClockOffsetSeconds is { } offset && Math.Abs(offset) > Fleet.Instance.LargestSkew.TotalSeconds
                ? string.Create(CultureInfo.InvariantCulture, $"{Math.Abs(offset):0.0} s {(offset > 0 ? "behind" : "ahead of")} the collector's; the times it tells are corrected") : null),
            ("store", instance.StoreReturnedAt is { } returned ? $"it knew more of this instance once, last {Output.Time(returned)}: the collector's store was put back to an older copy" : null),
            .. instance.Checks.Select(check => ($"check {check.Layer}/{check.Name}", (string?)Check(check))),
            .. HeadFields(instance.Head),
        ]);
        return ExitCode.Yes;
    }

    private static string Unbound(InstanceView instance) => instance.Nearest is { } nearest
        ? $"none; nearest is {nearest.Baseline}, differences: {nearest.Differences}; 'baselines bind {nearest.Baseline.Split(':')[0]} --instance {instance.Id}' binds it"
        : $"none; 'baselines capture NAME:VERSION --instance {instance.Id}' makes one of what it is now, and 'baselines bind NAME --instance {instance.Id}' binds it";

    private static string Check(CheckView check) =>
        $"{check.State} since {Output.Time(check.Since)}{(check.Before is null ? "" : $", {check.Before} before")}: {check.Text}{(check.DefinesService ? " (defines the service)" : "")}";

    private static async Task<int> HistoryAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new FleetService.FleetServiceClient(Connection.Open(arguments));
        var request = new ListHeadsRequest
        {
            InstanceId = arguments.GetValue(Id),
            Limit = arguments.GetValue(Limit),
            Until = arguments.GetValue(Until)?.ToTimestamp(),
        };
        var response = await client.ListHeadsAsync(request, cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Heads.Select(PastHeadView.Of)],
            request.Until is null ? "No state yet." : "No state from then or before is kept.",
            ["OBSERVED", "EPOCH", "SEQUENCE", "ADDED", "REMOVED", "CHANGED", "FILE ROOT"],
            past =>
            [
                past.Head.ObservedAt.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
                $"{past.Head.Epoch}",
                $"{past.Head.Sequence}",
                past.Differences is { } counts ? $"{counts.Added}" : "-",
                past.Differences is { } removed ? $"{removed.Removed}" : "-",
                past.Differences is { } changed ? $"{changed.Changed}" : "-",
                past.Head.Roots.File[..12],
            ]);
        return ExitCode.Yes;
    }

    private static async Task<int> AvailabilityAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new ReportService.ReportServiceClient(Connection.Open(arguments));
        var until = arguments.GetValue(End) ?? TimeProvider.System.GetUtcNow();
        var request = new ListAvailabilityRequest
        {
            InstanceId = arguments.GetValue(Id),
            From = (arguments.GetValue(Since) ?? until.AddDays(-1)).ToTimestamp(),
            To = until.ToTimestamp(),
        };
        var response = await client.ListAvailabilityAsync(request, cancellationToken: cancellation);
        Output.Of(arguments).List(
            [.. response.Intervals.Select(AvailabilityView.Of)],
            "No time between the two.",
            ["STATE", "FROM", "TO", "DURATION"],
            interval => [interval.State, Output.Time(interval.From), Output.Time(interval.To), Output.Duration(interval.To - interval.From)]);
        return ExitCode.Yes;
    }

    private static IEnumerable<(string, string?)> HeadFields(HeadView? head)
    {
        if (head is null)
        {
            yield return ("head", "none yet");
            yield break;
        }

        yield return ("head", $"epoch {head.Epoch}, sequence {head.Sequence}, observed {Output.Time(head.ObservedAt)}");
        yield return ("file root", head.Roots.File);
        yield return ("package root", head.Roots.Package);
        yield return ("scope", string.Join(' ', head.Coverage.Scope.Include));
        yield return ("excluded", string.Join(' ', head.Coverage.Scope.Exclude));
        yield return ("scanners", string.Join(", ", head.Coverage.Scanners));
        foreach (var part in head.Coverage.Watched)
            yield return ("watched", $"{part.Path}: {part.Method}{(part.Reason is null ? "" : $" ({part.Reason})")}");
        foreach (var window in head.Coverage.LossWindows)
            yield return ("not watched", $"{Output.Time(window.From)} to {Output.Time(window.To)}: {window.Reason}");
        foreach (var gap in head.Coverage.Gaps)
            yield return ("gap", $"{gap.Key}: {gap.Reason}");
    }
}
