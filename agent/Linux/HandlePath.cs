using System.Runtime.InteropServices;
using System.Text;

namespace Telemetry.Agent.Linux;

/// <summary>What is known by its handle, and where it lies now: open_by_handle_at(2), which needs CAP_DAC_READ_SEARCH.</summary>
internal static unsafe class HandlePath
{
    private const int PathOnly = 0x200000, CloseOnExec = 0x80000;  // O_PATH, O_CLOEXEC

    /// <param name="mount">An open directory of the filesystem; paths are as they are seen through its mount.</param>
    /// <param name="path">Absolute.</param>
    /// <returns>0 or an errno: ESTALE or ENOENT (it is gone) …</returns>
    public static int Of(int mount, ReadOnlySpan<byte> handle, out byte[] path)
    {
        path = [];
        var errno = Open(mount, handle, out var descriptor);
        if (errno != 0)
            return errno;

        errno = FileStatus.Of(descriptor, out var status);
        if (errno == 0)
            errno = status.Links == 0 ? Errno.Stale : LinkTarget.Read(-1, [.. Encoding.ASCII.GetBytes($"/proc/self/fd/{descriptor}"), 0], out path);
        OpenFile.Close(descriptor);
        return errno != 0 ? errno : path is [(byte)'/', ..] ? 0 : Errno.NoEntry;
    }

    /// <summary>The status of a file of any type.</summary>
    public static int StatusOf(int mount, ReadOnlySpan<byte> handle, out FileStatus status)
    {
        status = default;
        var errno = Open(mount, handle, out var descriptor);
        if (errno != 0)
            return errno;

        errno = FileStatus.Of(descriptor, out status);
        OpenFile.Close(descriptor);
        return errno;
    }

    /// <summary>Whether this process may open by handle at all: told by trying one that names nothing.</summary>
    /// <returns>0 or an errno: EPERM (CAP_DAC_READ_SEARCH is missing), ENOSYS.</returns>
    public static int MayOpen(int mount)
    {
        // struct file_handle: 8 bytes, of the type that most filesystems use.
        var errno = Open(mount, [8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], out var descriptor);
        PathFromRoot.CloseIfOpen(descriptor);
        return errno is Errno.NotPermitted or Errno.NotImplemented ? errno : 0;
    }

    private static int Open(int mount, ReadOnlySpan<byte> handle, out int descriptor)
    {
        fixed (byte* start = handle)
            descriptor = LibC.OpenByHandle(mount, start, PathOnly | CloseOnExec);
        return descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
    }
}
