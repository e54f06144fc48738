namespace Telemetry.Agent.Linux;

/// <summary>A descriptor that stands for one process and never for another that has its pid later: pidfd_open(2), or an event of fanotify(7). Linux 5.3.</summary>
internal static class PidDescriptor
{
    /// <summary>FAN_NOPIDFD: the process was gone when its event was read.</summary>
    public const int None = -1;

    /// <summary>FAN_EPIDFD: there is a process, and no descriptor could be made.</summary>
    public const int Failed = -2;

    private const short Readable = 1;           // POLLIN
    private const nint OpenNumber = 434;        // pidfd_open, the same on every architecture

    /// <summary>Whether it has ended, be it reaped or not.</summary>
    public static unsafe bool HasExited(int descriptor)
    {
        var entry = new LibC.PollEntry { Descriptor = descriptor, Wanted = Readable };
        return LibC.Poll(&entry, 1, 0) > 0;
    }

    /// <returns>0 or an errno: ESRCH (no such process), EMFILE …</returns>
    public static int Open(int pid, out int descriptor)
    {
        descriptor = (int)LibC.SystemCall(OpenNumber, pid, 0, 0);
        return descriptor >= 0 ? 0 : System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
    }
}
