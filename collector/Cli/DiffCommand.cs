using System.CommandLine;
using Grpc.Core;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

internal static class DiffCommand
{
    private static readonly Argument<string> Left = new("X") { Description = "What is expected: an instance, INSTANCE@TIME, a baseline NAME:VERSION, or layers on one, BASE:VERSION+LAYER:VERSION." };
    private static readonly Argument<string> Right = new("Y") { Description = "What is compared with it: the same." };

    public static Command Create() => CommandLine.Verb(
        "diff",
        "Compares two states where both say something; exits 0 when they are the same there, 1 when they differ. What could not be compared is said on stderr.",
        "telemetryctl diff shop:7 i-1\ntelemetryctl diff i-1@2026-03-03T10:00Z i-1\ntelemetryctl diff base:1+web:1+cache:1 i-1",
        RunAsync, Left, Right);

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var output = Output.Of(arguments);
        var client = new FleetService.FleetServiceClient(Connection.Open(arguments));
        var request = new DiffRequest { Left = arguments.GetValue(Left), Right = arguments.GetValue(Right) };
        using var call = client.Diff(request, cancellationToken: cancellation);
        var differences = new List<DifferenceView>();
        string? leftOut = null;
        await foreach (var response in call.ResponseStream.ReadAllAsync(cancellation))
        {
            if (response.Difference is { } difference)
                differences.Add(ToView(difference));
            else if (response.MessageCase == DiffResponse.MessageOneofCase.Problem)
                await Console.Error.WriteLineAsync(response.Problem);
            else
                leftOut = response.LeftOut;
        }

        var same = leftOut is null ? "The same." : $"What both sides cover is the same; {leftOut}.";
        Print(output, differences, same);
        if (leftOut is not null && (differences.Count > 0 || output.IsJson))
            await Console.Error.WriteLineAsync(Output.Plain(differences.Count > 0 ? $"{char.ToUpperInvariant(leftOut[0])}{leftOut[1..]}." : same));
        return differences.Count == 0 ? ExitCode.Yes : ExitCode.No;
    }

    public static void Print(Output output, IReadOnlyCollection<DifferenceView> differences, string whenEmpty) =>
        output.List(
            differences,
            whenEmpty,
            ["CHANGE", "KEY", "EXPECTED", "ACTUAL"],
            difference => [difference.Change, difference.Key, difference.Expected?.Summary ?? "-", difference.Actual?.Summary ?? "-"]);

    public static DifferenceView ToView(Difference difference) => new()
    {
        Key = difference.Key,
        Kind = Deviations.DeviationView.Word(difference.Kind),
        Change = Deviations.DeviationView.Word(difference.Change),
        Expected = EntryView.Of(difference.Expected),
        Actual = EntryView.Of(difference.Actual),
    };
}
