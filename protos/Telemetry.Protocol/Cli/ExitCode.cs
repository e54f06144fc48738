namespace Telemetry.Protocol.Cli;

/// <summary>What the shell is told; from 64 on as in sysexits(3).</summary>
public static class ExitCode
{
    /// <summary>Yes, or done.</summary>
    public const int Yes = 0;

    /// <summary>No: different, a conflict, not found, failed.</summary>
    public const int No = 1;

    public const int WrongUsage = 2;

    /// <summary>EX_UNAVAILABLE: the server cannot be reached.</summary>
    public const int Unreachable = 69;

    /// <summary>EX_NOPERM</summary>
    public const int NotAllowed = 77;

    /// <summary>EX_CONFIG</summary>
    public const int WrongConfiguration = 78;

    /// <summary>Ended by Ctrl-C, as shells count it.</summary>
    public const int Interrupted = 130;
}
