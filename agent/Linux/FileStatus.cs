using System.Runtime.InteropServices;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Linux;

/// <summary>What statx(2) says of one file.</summary>
/// <param name="Links">Names this file has, here and elsewhere.</param>
/// <param name="Blocks">Of 512 bytes; fewer than the size needs: the file has holes.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
/// <param name="Changed">Nanoseconds since 1970. The kernel sets it; nobody can choose it.</param>
/// <param name="Node">Number of a device node: major in the upper 32 bits, minor in the lower.</param>
internal readonly record struct FileStatus(
    ulong Device, ulong Inode, FileType Type, uint Mode, uint Links, uint Uid, uint Gid, ulong Size, ulong Blocks, long Modified, long Changed, ulong Node)
{
    private const int NoFollow = 0x100, NoAutomount = 0x800, EmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff;

    /// <summary>
    /// Whether nothing happened to the file in between. Blocks may: they are allocated when written back. Another name for it is
    /// no change of it, and shows in the time of change.
    /// </summary>
    public bool IsSameState(in FileStatus other) => other with { Blocks = Blocks, Links = Links } == this;

    public bool IsSparse => Blocks * 512 < Size;

    /// <summary>Of a name in a directory, not following links.</summary>
    /// <param name="name">Ends with 0x00.</param>
    /// <returns>0 or an errno: ENOENT, EACCES (the directory can't be searched), ESTALE, EIO …</returns>
    public static int Of(int directory, ReadOnlySpan<byte> name, out FileStatus status) =>
        Read(directory, name, NoFollow | NoAutomount, out status);

    /// <summary>Of what a name in a directory stands for, following links.</summary>
    public static int Behind(int directory, ReadOnlySpan<byte> name, out FileStatus status) => Read(directory, name, 0, out status);

    /// <summary>Of an open descriptor.</summary>
    public static int Of(int descriptor, out FileStatus status) => Read(descriptor, "\0"u8, EmptyPath, out status);

    private static unsafe int Read(int directory, ReadOnlySpan<byte> name, int flags, out FileStatus status)
    {
        LibC.StatXBuffer buffer;
        fixed (byte* path = name)
        {
            if (LibC.StatX(directory, path, flags, BasicStats, &buffer) != 0)
            {
                status = default;
                return Marshal.GetLastPInvokeError();
            }
        }

        status = new FileStatus(
            Number(buffer.DeviceMajor, buffer.DeviceMinor),
            buffer.Inode,
            TypeOf(buffer.Mode),
            buffer.Mode & 0xfffu,
            buffer.Links,
            buffer.Uid,
            buffer.Gid,
            buffer.Size,
            buffer.Blocks,
            buffer.ModifiedSeconds * 1_000_000_000 + buffer.ModifiedNanoseconds,
            buffer.ChangedSeconds * 1_000_000_000 + buffer.ChangedNanoseconds,
            Number(buffer.NodeMajor, buffer.NodeMinor));
        return 0;
    }

    private static ulong Number(uint major, uint minor) => (ulong)major << 32 | minor;

    /// <param name="mode">As in stat(2).</param>
    public static FileType TypeOf(ushort mode) => (mode & 0xf000) switch
    {
        0x4000 => FileType.Directory,
        0xa000 => FileType.Symlink,
        0x2000 => FileType.CharacterDevice,
        0x6000 => FileType.BlockDevice,
        0x1000 => FileType.Fifo,
        0xc000 => FileType.Socket,
        _ => FileType.File,
    };
}
