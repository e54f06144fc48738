using System.CommandLine;
using System.Text.Json;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Protocol.Text;

namespace Telemetry.Agent.Cli;

/// <summary><c>diff</c>: two manifest files, one difference a line; compared is only what both of them cover.</summary>
internal static class DiffCommand
{
    private const string Examples = """
        telemetry-agent diff certified.manifest today.manifest
        telemetry-agent diff a.manifest b.manifest --output json | jq -r .key
        telemetry-agent diff a.manifest b.manifest >/dev/null && echo same
        """;

    private static readonly Argument<string> A = new("A") { Description = "Manifest file with what is expected" };
    private static readonly Argument<string> B = new("B") { Description = "Manifest file with what is there" };

    public static Command Create()
    {
        var command = new Verb("diff", "Compare two manifest files; exits 0 same, 1 different, 2 when one of them is no manifest", Examples) { A, B, OutputFormat.Option };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult arguments)
    {
        var asTable = OutputFormat.IsTable(arguments);
        using var expected = ManifestFile.Open(arguments.GetValue(A)!);
        using var actual = ManifestFile.Open(arguments.GetValue(B)!);
        var overlap = new CoverageOverlap(expected.Head.Coverage, actual.Head.Coverage);
        if (overlap.LeftOut is { } leftOut)
            Console.Error.WriteLine(char.ToUpperInvariant(leftOut[0]) + leftOut[1..] + ".");

        var exitCode = ExitCode.Yes;
        var otherKeys = 0;
        using var output = new Output();
        foreach (var kind in EntryKinds.All)
        {
            foreach (var change in TreeDifference.Between(expected, expected.Head.Roots[kind], actual, actual.Head.Roots[kind]))
            {
                if (!overlap.Covers(kind, change.Key.Bytes))
                    continue;
                if (Closeness.Of(kind, change) == Verdict.OtherKey)
                {
                    otherKeys++;
                    continue;
                }

                var view = DifferenceView.Of(kind, change);
                output.Line(asTable ? Row(view) : JsonSerializer.Serialize(view, ViewJson.Readable.DifferenceView));
                exitCode = ExitCode.No;
            }
        }

        if (otherKeys > 0)
            Console.Error.WriteLine($"Not compared: the content of {otherKeys} secrets, whose digests are under different keys; scan both with the same --fleet-key.");
        return exitCode;
    }

    private static string Row(DifferenceView view) => (view.Expected, view.Actual) switch
    {
        ({ } expected, { } actual) => $"{view.Change,-8} {view.Key,-56} {expected.Summary}  =>  {actual.Summary}",
        var (expected, actual) => $"{view.Change,-8} {view.Key,-56} {(expected ?? actual)!.Summary}",
    };
}
