using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>Asks who holds a lock of fcntl(2) on a file.</summary>
internal static class FileLock
{
    private const int Get = 5;                  // F_GETLK
    private const short Shared = 0, None = 2;   // F_RDLCK, F_UNLCK

    /// <summary>Who would keep others from reading, of exclusive locks: readers of a database may lock it, too.</summary>
    /// <returns>Null when nobody does; 0 when it can't be told who.</returns>
    public static unsafe int? Holder(int descriptor)
    {
        var asked = new Request { Type = Shared };
        if (LibC.Control(descriptor, Get, (nint)(&asked)) != 0 || asked.Type == None)
            return null;
        return Math.Max(asked.Pid, 0);
    }

    /// <summary>struct flock, of 64 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Request
    {
        public short Type, Whence;
        public long Start, Length;
        public int Pid;
    }
}
