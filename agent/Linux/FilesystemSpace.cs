using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>What a filesystem holds and has room for: statfs(2).</summary>
/// <param name="Total">Bytes.</param>
/// <param name="Free">Bytes, whoever may have them.</param>
/// <param name="Available">Bytes that are not reserved for root.</param>
internal readonly record struct FilesystemSpace(long Total, long Free, long Available, long Inodes, long FreeInodes)
{
    /// <param name="path">Of anything on it; ends with 0x00.</param>
    /// <returns>0 or an errno.</returns>
    public static unsafe int Of(ReadOnlySpan<byte> path, out FilesystemSpace space)
    {
        space = default;
        LibC.StatFsBuffer buffer;
        fixed (byte* name = path)
        {
            if (LibC.StatFsOf(name, &buffer) != 0)
                return Marshal.GetLastPInvokeError();
        }

        space = new FilesystemSpace(
            Bytes(buffer.Blocks, buffer.BlockSize), Bytes(buffer.FreeBlocks, buffer.BlockSize), Bytes(buffer.AvailableBlocks, buffer.BlockSize),
            (long)Math.Min(buffer.Files, long.MaxValue), (long)Math.Min(buffer.FreeFiles, long.MaxValue));
        return 0;
    }

    private static long Bytes(ulong blocks, long size) => (long)UInt128.Min((UInt128)blocks * (ulong)size, long.MaxValue);
}
