using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>Opens and reads without following links and, where permitted, without leaving a trace in access times.</summary>
internal static class OpenFile
{
    private const int NonBlocking = 0x800, NoAccessTime = 0x40000, CloseOnExec = 0x80000;
    public const uint ForReading = 0;  // O_RDONLY

    private const int CurrentDirectory = -100;  // AT_FDCWD
    private const int SeekData = 3, SeekHole = 4, SeekSet = 0;

    // O_DIRECTORY and O_NOFOLLOW changed places on arm64.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly int DirectoryFlag = IsArm ? 0x4000 : 0x10000;
    private static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    /// <summary>A regular file for reading. O_NONBLOCK: what became a fifo meanwhile must not hold us.</summary>
    /// <param name="name">Ends with 0x00.</param>
    /// <returns>0 or an errno: ENOENT, EACCES, ELOOP (became a link), ENXIO (became a socket), EMFILE …</returns>
    public static int Regular(int directory, ReadOnlySpan<byte> name, out int descriptor) =>
        Open(directory, name, NonBlocking | NoFollow, out descriptor);

    /// <summary>A directory for reading its names.</summary>
    /// <returns>0 or an errno: ENOENT, ENOTDIR, ELOOP, EACCES, EMFILE …</returns>
    public static int Directory(int directory, ReadOnlySpan<byte> name, out int descriptor) =>
        Open(directory, name, NonBlocking | NoFollow | DirectoryFlag, out descriptor);

    /// <summary>The directory a scan starts from: here alone links are followed, since a person named it.</summary>
    public static int Root(ReadOnlySpan<byte> path, out int descriptor) =>
        Open(CurrentDirectory, path, NonBlocking | DirectoryFlag, out descriptor);

    /// <summary>Of a path that a person named; a link at its end is not followed.</summary>
    /// <returns>Null when it is not there, or can't be told.</returns>
    public static FileStatus? StatusOf(string path) =>
        StatusOf([.. System.Text.Encoding.UTF8.GetBytes(path), 0]);

    /// <param name="path">Ends with 0x00.</param>
    public static FileStatus? StatusOf(ReadOnlySpan<byte> path) =>
        FileStatus.Of(CurrentDirectory, path, out var status) == 0 ? status : null;

    public static void Close(int descriptor) => _ = LibC.Close(descriptor);

    /// <summary>read(2), again when interrupted.</summary>
    /// <returns>Bytes read, 0 at the end, or a negative errno.</returns>
    public static unsafe int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var read = LibC.Read(descriptor, start, buffer.Length);
                if (read >= 0)
                    return (int)read;
                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.Interrupted)
                    return -errno;
            }
        }
    }

    /// <summary>Goes to the next stretch of a sparse file that holds data.</summary>
    /// <returns>0, or an errno: ENXIO (only a hole follows), EINVAL (the filesystem can't tell).</returns>
    public static int SeekToData(int descriptor, long from, out long start, out long end)
    {
        end = -1;
        start = LibC.Seek(descriptor, from, SeekData);
        if (start >= 0)
            end = LibC.Seek(descriptor, start, SeekHole);
        return end >= 0 && LibC.Seek(descriptor, start, SeekSet) == start ? 0 : Marshal.GetLastPInvokeError();
    }

    private static unsafe int Open(int directory, ReadOnlySpan<byte> name, int flags, out int descriptor)
    {
        fixed (byte* path = name)
        {
            descriptor = LibC.OpenAt(directory, path, flags | NoAccessTime | CloseOnExec, 0);

            // O_NOATIME is for the owner and CAP_FOWNER alone.
            if (descriptor < 0 && Marshal.GetLastPInvokeError() == Errno.NotPermitted)
                descriptor = LibC.OpenAt(directory, path, flags | CloseOnExec, 0);
        }

        return descriptor >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}
