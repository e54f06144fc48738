using System.CommandLine;

namespace Telemetry.Protocol.Cli;

/// <summary><c>--output</c>: tables for people, JSON for programs.</summary>
public static class OutputFormat
{
    public static Option<string?> Option { get; } = new Option<string?>("--output", "-o")
    {
        Description = "table (default on a terminal) or json (default in a pipe)",
        HelpName = "table|json",
        Recursive = true,
    }.AcceptOnlyFromAmong("table", "json");

    public static bool IsTable(ParseResult arguments) =>
        arguments.GetValue(Option) is { } format ? format == "table" : !Console.IsOutputRedirected;
}
