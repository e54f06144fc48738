using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>What a symbolic link points to, as the bytes stored in it.</summary>
internal static class LinkTarget
{
    private const int MaxLength = 4096;

    /// <summary>readlinkat(2).</summary>
    /// <param name="name">Ends with 0x00.</param>
    /// <returns>0 or an errno: ENOENT, EINVAL (no link any more), EACCES …</returns>
    public static unsafe int Read(int directory, ReadOnlySpan<byte> name, out byte[] target)
    {
        Span<byte> buffer = stackalloc byte[MaxLength];
        fixed (byte* path = name, start = buffer)
        {
            var length = LibC.ReadLinkAt(directory, path, start, MaxLength);
            target = length < 0 ? [] : buffer[..(int)length].ToArray();
            return length < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }
}
