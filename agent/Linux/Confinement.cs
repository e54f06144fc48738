using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>Takes from this process what it does not need, for good, before it touches anything that others wrote.</summary>
internal static unsafe class Confinement
{
    // The user and group that own nothing, by convention of every distribution: nobody.
    private const uint Nobody = 65534;

    // prctl(2).
    private const int ParentDeathSignal = 1, Dumpable = 4, NoNewPrivileges = 38;
    private const int KillSignal = 9, FaultSignal = 11;
    private const int ErrorOutput = 2;

    // setrlimit(2); the same numbers on x64 and arm64.
    private const int CpuSeconds = 0, Data = 2, CoreSize = 4, Processes = 6, OpenFiles = 7;

    /// <summary>
    /// As root, becomes nobody. No way back to more, none to other processes or to written files, and an end when the parent
    /// ends, the processor time is up or the memory is out.
    /// </summary>
    /// <param name="memory">Bytes of heap and private mappings; what the runtime merely reserves does not count (Linux 4.7).</param>
    /// <exception cref="InvalidOperationException">Something could not be taken.</exception>
    public static void Enter(ulong memory, ulong cpuSeconds)
    {
        // While it still may: when memory is short, this process goes first, not the agent beside it.
        File.WriteAllText("/proc/self/oom_score_adj", "1000");

        if (Environment.IsPrivilegedProcess)
        {
            Check(LibC.SetGroups(0, null), "setgroups");
            Check(LibC.SetGroupIds(Nobody, Nobody, Nobody), "setresgid");
            Check(LibC.SetUserIds(Nobody, Nobody, Nobody), "setresuid");

            // As another user it could not: the number counts all processes of a user.
            Limit(Processes, 0);
        }

        Check(LibC.Control(NoNewPrivileges, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
        Check(LibC.Control(Dumpable, 0, 0, 0, 0), "PR_SET_DUMPABLE");

        // A change of user clears it, so it comes after that.
        Check(LibC.Control(ParentDeathSignal, KillSignal, 0, 0, 0), "PR_SET_PDEATHSIG");

        // A fault in a native library ends the process there and then. The runtime would explain it first, at length, and may hang.
        LibC.Signal(FaultSignal, 0);
        Silence();

        Limit(CoreSize, 0);
        Limit(OpenFiles, 64);
        Limit(CpuSeconds, cpuSeconds);
        Limit(Data, memory);
    }

    /// <summary>Last words may be of what others wrote, and nobody may be reading them.</summary>
    private static void Silence()
    {
        using var nowhere = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Write);
        Check(LibC.Duplicate((int)nowhere.DangerousGetHandle(), ErrorOutput, 0), "dup3");
    }

    private static void Limit(int resource, ulong most)
    {
        var limit = new LibC.ResourceLimit { Soft = most, Hard = most };
        Check(LibC.SetLimit(resource, &limit), "setrlimit");
    }

    private static void Check(int result, string what)
    {
        if (result < 0)
            throw new InvalidOperationException($"{what}: {Errno.Text(Marshal.GetLastPInvokeError())}");
    }
}
