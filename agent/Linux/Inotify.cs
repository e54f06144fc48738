using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>An inotify(7) instance: watches directories, each for itself.</summary>
internal sealed unsafe class Inotify : IDisposable
{
    private const int NonBlocking = 0x800, CloseOnExec = 0x80000;  // IN_NONBLOCK, IN_CLOEXEC
    private const uint OnlyDirectories = 0x0100_0000, AddToMask = 0x2000_0000;  // IN_ONLYDIR, IN_MASK_ADD
    private const short Readable = 0x1;                            // POLLIN

    // Unlike a filesystem's mark, this also tells of writes through descriptors that stay open, and of truncate(2).
    private const WatchEvents All = Names | WatchEvents.Modified | WatchEvents.Attributes | WatchEvents.ClosedAfterWriting;

    private const WatchEvents Names = WatchEvents.MovedFrom | WatchEvents.MovedTo | WatchEvents.Created | WatchEvents.Deleted;

    private readonly int _descriptor;

    private Inotify(int descriptor) => _descriptor = descriptor;

    /// <returns>0 or an errno: EMFILE (fs.inotify.max_user_instances), ENOSYS …</returns>
    public static int Open(out Inotify? opened)
    {
        var descriptor = LibC.InotifyInit(NonBlocking | CloseOnExec);
        opened = descriptor >= 0 ? new Inotify(descriptor) : null;
        return descriptor >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Watches an open directory; once more changes nothing. What moves stays watched.</summary>
    /// <param name="watch">Names the directory in events, for as long as it is watched; never used again.</param>
    /// <returns>0 or an errno: ENOSPC (fs.inotify.max_user_watches), ENOMEM, EACCES …</returns>
    public int Watch(int directory, out int watch) => Add(directory, (uint)All, out watch);

    /// <summary>Watches an open directory for names that come and go, in addition to what it is watched for.</summary>
    public int WatchNames(int directory, out int watch) => Add(directory, (uint)Names | AddToMask, out watch);

    /// <summary>An event <see cref="WatchEvents.NoLongerWatched"/> follows. It may have ended already.</summary>
    public void Unwatch(int watch) => _ = LibC.InotifyRemove(_descriptor, watch);

    /// <summary>Reads the events that are there.</summary>
    /// <returns>Bytes, 0 when there is none, or a negative errno.</returns>
    public int Read(Span<byte> buffer)
    {
        var read = OpenFile.Read(_descriptor, buffer);
        return read == -Errno.Again ? 0 : read;
    }

    /// <summary>Waits until there are events, or the time is up.</summary>
    public void Wait(TimeSpan time)
    {
        var entry = new LibC.PollEntry { Descriptor = _descriptor, Wanted = Readable };
        _ = LibC.Poll(&entry, 1, (int)time.TotalMilliseconds);
    }

    public void Dispose() => OpenFile.Close(_descriptor);

    private int Add(int directory, uint mask, out int watch)
    {
        // Through /proc: there is no call that takes a descriptor.
        Span<byte> path = stackalloc byte[32];
        "/proc/self/fd/"u8.CopyTo(path);
        System.Buffers.Text.Utf8Formatter.TryFormat(directory, path[14..], out var digits);
        path[14 + digits] = 0;
        fixed (byte* start = path)
            watch = LibC.InotifyAdd(_descriptor, start, mask | OnlyDirectories);
        return watch >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}

/// <summary>One event: struct inotify_event.</summary>
/// <param name="watch">The directory's; negative when the queue ran over.</param>
/// <param name="name">In the directory; empty for the directory itself.</param>
internal readonly ref struct InotifyEvent(int watch, WatchEvents events, ReadOnlySpan<byte> name)
{
    private const int HeaderLength = 16;

    public int Watch { get; } = watch;

    public WatchEvents Events { get; } = events;

    public ReadOnlySpan<byte> Name { get; } = name;

    /// <summary>Takes the first event off what was read.</summary>
    /// <returns>False at the end.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> buffer, out InotifyEvent read)
    {
        read = default;
        if (buffer.Length < HeaderLength)
            return false;

        var length = HeaderLength + BinaryPrimitives.ReadInt32LittleEndian(buffer[12..]);
        var name = buffer[HeaderLength..length];
        var end = name.IndexOf((byte)0);
        read = new InotifyEvent(
            BinaryPrimitives.ReadInt32LittleEndian(buffer),
            (WatchEvents)BinaryPrimitives.ReadUInt32LittleEndian(buffer[4..]),
            end < 0 ? name : name[..end]);
        buffer = buffer[length..];
        return true;
    }
}
