namespace Telemetry.Agent.Linux;

/// <summary>What this process may use.</summary>
internal static unsafe class ProcessLimits
{
    private const int OpenFiles = 7;  // RLIMIT_NOFILE

    /// <summary>A walk holds one descriptor per level: takes as many as it may have.</summary>
    public static void RaiseOpenFiles()
    {
        LibC.ResourceLimit limit;
        if (LibC.GetLimit(OpenFiles, &limit) != 0 || limit.Soft >= limit.Hard)
            return;
        limit.Soft = limit.Hard;
        _ = LibC.SetLimit(OpenFiles, &limit);
    }
}
