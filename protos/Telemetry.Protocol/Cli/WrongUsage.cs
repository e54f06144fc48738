using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Protocol.Cli;

/// <summary>What is wrong with a command line, in one sentence that says where the help is.</summary>
public static class WrongUsage
{
    /// <param name="program">Its name on the command line.</param>
    /// <returns>Null when nothing is wrong.</returns>
    public static string? Of(ParseResult result, string program)
    {
        var mistake = result.Action is ParseErrorAction ? Mistake(result)
            : result.Tokens.Any(token => token.Type == TokenType.Argument && token.Value.Length == 0) ? "A value is empty; perhaps a variable is not set."
            : null;
        return mistake is null ? null : $"{mistake} See '{string.Join(' ', Names(result.CommandResult, program))} --help'.";
    }

    private static string Mistake(ParseResult result)
    {
        // Else a mistyped command is told as a missing one.
        if (result.UnmatchedTokens is not [var token, ..] || result.CommandResult.Command.Subcommands.Count == 0)
            return OneLine(result.Errors[0].Message);

        var names = result.CommandResult.Command.Subcommands.Select(command => command.Name).ToList();
        var nearest = names.MinBy(name => EditDistance.Between(name, token))!;
        return EditDistance.Between(nearest, token) <= Math.Max(2, token.Length / 3)
            ? $"'{token}' is not a command; did you mean '{nearest}'?"
            : $"'{token}' is not a command; there are {string.Join(", ", names)}.";
    }

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<string> Names(CommandResult result, string program) =>
        result.Parent is CommandResult parent ? [.. Names(parent, program), result.Command.Name] : [program];
}
