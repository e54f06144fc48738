using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Telemetry.Protocol.Cli;

/// <summary>What is wrong with a command line, in one sentence that says where the help is.</summary>
public static class WrongUsage
{
    /// <param name="program">Its name on the command line.</param>
    /// <returns>Null when nothing is wrong.</returns>
    public static string? Of(ParseResult result, string program) =>
        result.Action is ParseErrorAction
            ? $"{OneLine(result.Errors[0].Message)} See '{string.Join(' ', Names(result.CommandResult, program))} --help'."
            : null;

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<string> Names(CommandResult result, string program) =>
        result.Parent is CommandResult parent ? [.. Names(parent, program), result.Command.Name] : [program];
}
