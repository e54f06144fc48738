using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>A thread that gives way to everything else.</summary>
internal static class IdleThread
{
    // ioprio_set(2): this thread, class idle: the disk serves it when nobody else wants anything.
    private const int WhoThread = 1, ThisThread = 0, IdleClass = 3 << 13;

    private const int PriorityOfThread = 0, Nicest = 19;

    private static readonly nint IoPrioritySet = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 30 : 251;

    /// <summary>Takes the processor and the disk for the calling thread only when nobody else wants them. Needs no privilege; best effort.</summary>
    public static void Enter()
    {
        _ = LibC.SystemCall(IoPrioritySet, WhoThread, ThisThread, IdleClass);
        _ = LibC.SetPriority(PriorityOfThread, ThisThread, Nicest);
    }
}
