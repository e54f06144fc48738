using System.CommandLine;
using System.Text;
using System.Text.Json;
using Telemetry.Agent.Packages;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Cli;

/// <summary><c>verify</c>: packaged files that are missing or differ from what their packages say of them.</summary>
internal static class VerifyCommand
{
    private const string Examples = """
        telemetry-agent verify
        telemetry-agent verify openssh-server sudo
        telemetry-agent verify --root /mnt/image --output json | jq -r 'select(.conffile | not).path'
        """;

    private static readonly Argument<string[]> Packages = new("PACKAGE")
    {
        Description = "Only these, e.g. apache2, libc6:amd64 or package:rpm/bash; all when none is named",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Create(TimeProvider clock)
    {
        var command = new Verb("verify", "Compare packaged files with their packages' own digests; exits 0 when none differs, 1 when some do, 77 when none does but some may not be read", Examples)
        {
            Packages, PackageQuestion.Root, OutputFormat.Option,
        };
        command.SetAction(arguments => Run(arguments, clock));
        return command;
    }

    private static int Run(ParseResult arguments, TimeProvider clock)
    {
        using var interruption = new Interruption();
        var asTable = OutputFormat.IsTable(arguments);
        var selection = new PackageSelection(arguments.GetValue(Packages)!);
        var (tree, sources) = PackageQuestion.Open(arguments, clock);
        var mistakes = new List<string>();
        var (isDifferent, isUnread) = (false, false);
        using (tree)
        using (var output = new Output())
        {
            var verifier = new PackageVerifier(tree, clock);
            foreach (var source in sources)
                source.Read(selection.Matches, Check, mistakes.Add, interruption.Token);

            void Check(PackageFile file)
            {
                interruption.Token.ThrowIfCancellationRequested();
                if (verifier.Check(file, interruption.Token) is not { } finding)
                    return;
                var view = PackageFindingView.Of(finding);
                output.Line(asTable ? view.Row() : JsonSerializer.Serialize(view, PackageJson.Readable.PackageFindingView));
                if (finding.Change == PackageChange.Unreadable)
                    isUnread = true;
                else
                    isDifferent = true;
            }
        }

        mistakes.AddRange(selection.Unknown.Select(name => $"no package '{EscapedText.Of(Encoding.UTF8.GetBytes(name))}' is known here"));
        PackageQuestion.Report(mistakes);
        return isDifferent || mistakes.Count > 0 ? ExitCode.No : isUnread ? ExitCode.NotAllowed : ExitCode.Yes;
    }
}
