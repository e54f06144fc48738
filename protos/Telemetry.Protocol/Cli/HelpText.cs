using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Telemetry.Protocol.Cli;

/// <summary>Help that ends with the examples of a <see cref="Verb"/>.</summary>
public sealed class HelpText : SynchronousCommandLineAction
{
    private readonly HelpAction _standard;

    private HelpText(HelpAction standard) => _standard = standard;

    public override bool ClearsParseErrors => true;

    public static void Install(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpText((HelpAction)help.Action!);
    }

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = _standard.Invoke(parseResult);
        if (parseResult.CommandResult.Command is Verb { Examples: { Length: > 0 } examples })
            parseResult.InvocationConfiguration.Output.WriteLine("Examples:\n  " + examples.ReplaceLineEndings("\n  ") + "\n");
        return exitCode;
    }
}
