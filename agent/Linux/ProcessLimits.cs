namespace Telemetry.Agent.Linux;

/// <summary>Limits and memory of this process.</summary>
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

    /// <summary>After a scan: gives back what only the scan needed.</summary>
    public static void GiveBackMemory()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = LibC.TrimHeap(0);
    }
}
