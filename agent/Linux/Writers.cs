using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>Whether somebody has a file open for writing: asked with a lease (fcntl(2), F_SETLEASE), which is given back at once.</summary>
/// <remarks>
/// The kernel gives a read lease only when nobody has the file open for writing, to the file's owner or with CAP_LEASE. Who opens
/// it while the lease is held waits that long: microseconds.
/// </remarks>
internal static class Writers
{
    private const int SetLease = 1024, ReadLock = 0, Unlock = 2;
    private const int LeaseBroken = 29;  // SIGIO, which would end this process
    private const nint Ignore = 1;

    static Writers() => _ = LibC.Signal(LeaseBroken, Ignore);

    /// <param name="descriptor">Open for reading only.</param>
    /// <returns>0: nobody has; EAGAIN: somebody has; another errno: it can't be told, e.g. EACCES.</returns>
    public static int Find(int descriptor)
    {
        if (LibC.Control(descriptor, SetLease, ReadLock) != 0)
            return Marshal.GetLastPInvokeError();
        _ = LibC.Control(descriptor, SetLease, Unlock);
        return 0;
    }
}
