namespace Telemetry.Collector.Cli;

/// <summary>What the program's exit code says. After sysexits.h where it has a number.</summary>
internal static class ExitCode
{
    /// <summary>Yes, or done.</summary>
    public const int Yes = 0;

    /// <summary>No: different, a conflict, not found, breached.</summary>
    public const int No = 1;

    public const int WrongUsage = 2;

    /// <summary>EX_UNAVAILABLE: the server cannot be reached.</summary>
    public const int Unreachable = 69;

    /// <summary>EX_NOPERM</summary>
    public const int NotAllowed = 77;

    /// <summary>EX_CONFIG</summary>
    public const int WrongConfiguration = 78;
}

/// <summary>Ends a command with one sentence for people on standard error.</summary>
internal sealed class CommandException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
