using System.Globalization;

namespace Telemetry.Agent.Linux;

/// <summary>Keeps this process small: what is free in it goes back to the system.</summary>
internal static unsafe class ProcessMemory
{
    private const string Maps = "/proc/self/maps";
    private const int HeapArenas = -8;  // M_ARENA_MAX
    private const int PageOut = 21;  // MADV_PAGEOUT

    // Of a heap of a few megabytes, and what a collection costs: some milliseconds.
    private const long Growth = 2 << 20;

    private static readonly Lock Gate = new();
    private static long _limit;

    /// <summary>All threads take from one C heap: with one each, every thread keeps what it has ever needed. Call it before there are threads.</summary>
    public static void ShareHeap() => _ = LibC.SetHeapOption(HeapArenas, 1);

    /// <summary>
    /// Collects what is garbage when the heap has grown by some megabytes since the last time. The collector itself is in no hurry: of
    /// 3 MB that live it makes 25.
    /// </summary>
    public static void Tend()
    {
        lock (Gate)
        {
            if (GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes > _limit)
                Collect();
        }
    }

    /// <summary>Gives back all that is free, and the parts of the program that nothing runs: what the start and a scan needed.</summary>
    public static void GiveBack()
    {
        lock (Gate)
            Collect();
        ForgetProgram();
    }

    private static void Collect()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = LibC.TrimHeap(0);
        _limit = GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes * 3 / 2 + Growth;
    }

    /// <summary>Linux 5.4; where it is refused nothing is lost. What is run again is read again.</summary>
    private static void ForgetProgram()
    {
        if (Environment.ProcessPath is not { } program || !File.Exists(Maps))
            return;
        foreach (var line in File.ReadLines(Maps))
        {
            // 55d0c0a00000-55d0c0a1b000 r-xp 00000000 fe:00 123 /usr/bin/telemetry-agent
            if (!line.EndsWith(program, StringComparison.Ordinal) || line.Split(' ', 3) is not [var range, ['r', '-', ..], _])
                continue;
            var bounds = range.Split('-').Select(address => nuint.Parse(address, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            _ = LibC.Advise((void*)bounds[0], bounds[1] - bounds[0], PageOut);
        }
    }
}
