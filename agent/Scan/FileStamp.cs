using System.Buffers.Binary;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Scan;

/// <summary>
/// What stays the same as long as a file was not touched. The time of change is set by the kernel alone, so forged times of
/// modification show. Kept beside the entry, never part of the manifest.
/// </summary>
/// <param name="Modified">Nanoseconds since 1970.</param>
/// <param name="Changed">Nanoseconds since 1970.</param>
internal readonly record struct FileStamp(ulong Device, ulong Inode, ulong Size, long Modified, long Changed)
{
    public const int Length = 40;

    /// <summary>Equals no file's stamp: inode 0 does not exist.</summary>
    public static readonly FileStamp None;

    // Kernels with coarse times can't tell two writes of one tick apart.
    public const long TrustedAge = 2_000_000_000;

    public bool IsNone => Inode == 0;

    /// <summary>The stamp of a status, or none when the file changed so shortly before that a second change would not show.</summary>
    /// <param name="takenAt">When the status was taken: nanoseconds since 1970.</param>
    public static FileStamp Of(in FileStatus status, long takenAt)
    {
        var changedJustNow = takenAt - status.Changed < TrustedAge;
        var modifiedJustNow = status.Modified <= takenAt && takenAt - status.Modified < TrustedAge;
        return changedJustNow || modifiedJustNow ? None : Of(status);
    }

    public static FileStamp Of(in FileStatus status) =>
        new(status.Device, status.Inode, status.Size, status.Modified, status.Changed);

    /// <summary>This stamp, made unequal to itself by a mark.</summary>
    public FileStamp Mixed(long mark) => this with { Changed = Changed ^ mark };

    public static FileStamp Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(bytes[32..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Device);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Inode);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], Size);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[24..], Modified);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[32..], Changed);
    }
}
