namespace Telemetry.Agent.Cli;

/// <summary>What the shell is told; from 64 on as in sysexits(3).</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Different, not found, failed.</summary>
    public const int No = 1;

    public const int WrongUsage = 2;
    public const int NotAllowed = 77;
    public const int WrongConfiguration = 78;

    /// <summary>Ended by Ctrl-C, as shells count it.</summary>
    public const int Interrupted = 130;
}
