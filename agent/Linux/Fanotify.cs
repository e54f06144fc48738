using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>What fanotify(7) and inotify(7) report: the bits of an event's mask, and of what a mark asks for; both use the same ones.</summary>
[Flags]
internal enum WatchEvents : ulong
{
    None = 0,
    Modified = 0x2,
    Attributes = 0x4,
    ClosedAfterWriting = 0x8,
    MovedFrom = 0x40,
    MovedTo = 0x80,
    Created = 0x100,
    Deleted = 0x200,
    ProgramStarted = 0x1000,
    Overflow = 0x4000,
    NoLongerWatched = 0x8000,
    Renamed = 0x1000_0000,
    OnDirectory = 0x4000_0000,
    OfChildren = 0x0800_0000,
}

/// <summary>A fanotify group that reports by name, never by an open file and never by asking for permission.</summary>
internal sealed unsafe class Fanotify : IDisposable
{
    // fanotify_init(2).
    private const uint CloseOnExec = 0x1, NonBlocking = 0x2, UnlimitedQueue = 0x10, UnlimitedMarks = 0x20;
    private const uint ReportPidFd = 0x80, ReportFileId = 0x200, ReportDirectoryId = 0x400, ReportName = 0x800, ReportTargetId = 0x1000;

    // fanotify_mark(2).
    private const uint Add = 0x1, Filesystem = 0x100;

    private const WatchEvents Basic = WatchEvents.Created | WatchEvents.Deleted | WatchEvents.ClosedAfterWriting | WatchEvents.Attributes
        | WatchEvents.ProgramStarted | WatchEvents.OnDirectory;

    private Fanotify(int descriptor, bool reportsRenames)
    {
        Descriptor = descriptor;
        ReportsRenames = reportsRenames;
    }

    public int Descriptor { get; }

    /// <summary>Whether a rename is one event with both names (Linux 5.17), else two that nobody can bring together.</summary>
    public bool ReportsRenames { get; }

    /// <summary>Opens the best group this kernel has, by trying.</summary>
    /// <returns>0 or an errno: ENOSYS or EINVAL (the kernel is too old), EPERM (CAP_SYS_ADMIN is missing), EMFILE …</returns>
    public static int Open(out Fanotify? group)
    {
        const uint Names = CloseOnExec | NonBlocking | UnlimitedQueue | UnlimitedMarks | ReportDirectoryId | ReportName;
        var errno = 0;
        foreach (var flags in (ReadOnlySpan<uint>)[Names | ReportFileId | ReportTargetId | ReportPidFd, Names | ReportFileId | ReportPidFd, Names | ReportFileId, Names])
        {
            var descriptor = LibC.FanotifyInit(flags, OpenFile.ForReading);
            if (descriptor >= 0)
            {
                group = new Fanotify(descriptor, (flags & ReportTargetId) != 0);
                return 0;
            }

            errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.Invalid)
                break;
        }

        group = null;
        return errno;
    }

    /// <summary>Watches all of the filesystem that an open directory lies on.</summary>
    /// <returns>0 or an errno: EOPNOTSUPP, ENODEV or EXDEV (this filesystem can't be watched), EPERM …</returns>
    public int WatchFilesystem(int directory)
    {
        var renames = ReportsRenames ? WatchEvents.Renamed : WatchEvents.MovedFrom | WatchEvents.MovedTo;
        return Mark(Add | Filesystem, Basic | renames, directory);
    }

    /// <summary>
    /// Of the files in a directory, watches every write as well: those of truncate(2) and through descriptors that stay open, for
    /// which no event of a whole filesystem is.
    /// </summary>
    public int WatchWrites(int directory) => Mark(Add, WatchEvents.Modified | WatchEvents.OfChildren, directory);

    /// <summary>Reads the events that are there.</summary>
    /// <returns>Bytes, 0 when there is none, or a negative errno.</returns>
    public int Read(Span<byte> buffer)
    {
        var read = OpenFile.Read(Descriptor, buffer);
        return read == -Errno.Again ? 0 : read;
    }

    public void Dispose() => OpenFile.Close(Descriptor);

    private int Mark(uint flags, WatchEvents events, int directory) =>
        LibC.FanotifyMark(Descriptor, flags, (ulong)events, directory, null) == 0 ? 0 : Marshal.GetLastPInvokeError();
}
