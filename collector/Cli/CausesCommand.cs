using System.CommandLine;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class CausesCommand
{
    /// <summary>Of a distribution's upgrade the rest is in the JSON.</summary>
    private const int MaxPackagesShown = 20;

    private const int MaxOutliersShown = 20;

    private static readonly Argument<string> Id = new("ID") { Description = "Id of a cause, such as c-3." };
    private static readonly Option<string?> Instance = new("--instance") { Description = "Only of deviations of this instance.", HelpName = "ID" };

    public static Command Create() => new("causes", "What explains deviations: package transactions, what one process did, decisions of operators, and what nobody told of.")
    {
        CommandLine.Verb("list", "Lists causes, newest first.", "telemetryctl causes list\ntelemetryctl causes list --instance i-1 --output json", ListAsync, Instance),
        CommandLine.Verb("show", "Shows one cause with its packages, its instances and some of its deviations; 'deviations list --cause ID' shows all of them.", "telemetryctl causes show c-3", ShowAsync, Id),
    };

    private static async Task<int> ListAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new ListCausesRequest { InstanceId = arguments.GetValue(Instance) ?? "" };
        var causes = new List<CauseView>();
        do
        {
            var page = await client.ListCausesAsync(request, cancellationToken: cancellation);
            causes.AddRange(page.Causes.Select(CauseView.Of));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Output.Of(arguments).List(
            causes,
            "No causes.",
            ["ID", "KIND", "BEGAN", "DEVIATIONS", "OPEN", "INSTANCES", "FILES", "OUTLIERS", "SUMMARY"],
            cause =>
            [
                cause.Id, cause.Kind, Output.Time(cause.BeganAt), $"{cause.Deviations}", $"{cause.OpenDeviations}", $"{cause.Instances}",
                $"{cause.Files}", $"{cause.Outliers}", cause.Summary,
            ]);
        return ExitCode.Yes;
    }

    private static async Task<int> ShowAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var client = new DeviationService.DeviationServiceClient(Connection.Open(arguments));
        var request = new GetCauseRequest { Id = arguments.GetValue(Id) };
        var cause = CauseDetailView.Of(await client.GetCauseAsync(request, cancellationToken: cancellation));
        Output.Of(arguments).Show(cause,
        [
            ("id", cause.Id),
            ("kind", cause.Kind),
            ("summary", cause.Summary),
            ("began", Output.Time(cause.BeganAt)),
            ("decided by", cause.DecidedBy),
            ("deviations", $"{cause.Deviations}, {cause.OpenDeviations} of them open"),
            ("files", $"{cause.Files}"),
            ("unverified", cause.Unverified == 0 ? null : $"{cause.Unverified}; made by package processes, and in no package's list"),
            ("outliers", cause.Outliers == 0 ? null : $"{Counted.Of(cause.Outliers, "entry", "entries")} that decisions on the cause leave out"),
            .. cause.Outlying.Take(MaxOutliersShown).Select(outlier => ("stands out", (string?)outlier.Text)),
            ("", cause.Outlying.Count > MaxOutliersShown ? $"and {cause.Outlying.Count - MaxOutliersShown} more at least; the JSON names a hundred" : null),
            .. cause.Packages.Take(MaxPackagesShown).Select(package => ("package", (string?)package.Text)),
            ("", cause.Packages.Count > MaxPackagesShown ? $"and {cause.Packages.Count - MaxPackagesShown} more packages" : null),
            ("instances", $"{cause.Instances}: {string.Join(' ', cause.InstanceIds)}"),
            .. cause.Examples.Select(deviation => ("such as", (string?)$"{deviation.Id}  {deviation.Severity}  {deviation.Change}  {deviation.Key}  {deviation.Instance}")),
        ]);
        return ExitCode.Yes;
    }
}
