namespace Telemetry.Collector.Cli;

/// <summary>Ends a command with one sentence for people on standard error.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
