using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Telemetry.Protocol.Cli;

/// <summary>Help that ends with the examples of a <see cref="Verb"/>.</summary>
public sealed class HelpText : SynchronousCommandLineAction
{
    private readonly HelpAction _standard;
    private readonly string _root;
    private readonly string? _program;

    private HelpText(HelpAction standard, string root, string? program) => (_standard, _root, _program) = (standard, root, program);

    public override bool ClearsParseErrors => true;

    /// <param name="program">As it was called, if that is not the name of its file; null: it is.</param>
    public static void Install(RootCommand root, string? program = null)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        var standard = (HelpAction)help.Action!;

        // What it would find out itself, it would ask the console for.
        standard.MaxWidth = Console.IsOutputRedirected ? int.MaxValue : PlainConsole.Width;
        help.Action = new HelpText(standard, root.Name, program);
    }

    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        var exitCode = _standard.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(_program is null ? text.ToString() : WithProgram(text.ToString(), _program));
        if (parseResult.CommandResult.Command is Verb { Examples: { Length: > 0 } examples })
            parseResult.InvocationConfiguration.Output.WriteLine("Examples:\n  " + examples.ReplaceLineEndings("\n  ") + "\n");
        return exitCode;
    }

    /// <summary>The line below "Usage:" begins with the program.</summary>
    private string WithProgram(string help, string program)
    {
        var usage = $"\n  {_root}";
        var at = help.IndexOf(usage, StringComparison.Ordinal);
        return at < 0 ? help : $"{help[..at]}\n  {program}{help[(at + usage.Length)..]}";
    }
}
