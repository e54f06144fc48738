using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>What a symbolic link points to, as the bytes stored in it.</summary>
internal static class LinkTarget
{
    private const int MaxLength = 4096;

    /// <summary>readlinkat(2).</summary>
    /// <param name="name">Ends with 0x00.</param>
    /// <returns>0 or an errno: ENOENT, EINVAL (no link any more), EACCES …</returns>
    public static int Read(int directory, ReadOnlySpan<byte> name, out byte[] target)
    {
        Span<byte> buffer = stackalloc byte[MaxLength];
        var errno = Read(directory, name, buffer, out var length);
        target = buffer[..length].ToArray();
        return errno;
    }

    /// <summary>The same, where many are read: as much as the buffer holds.</summary>
    public static unsafe int Read(int directory, ReadOnlySpan<byte> name, Span<byte> buffer, out int length)
    {
        fixed (byte* path = name, start = buffer)
        {
            var read = LibC.ReadLinkAt(directory, path, start, buffer.Length);
            length = Math.Max(0, (int)read);
            return read < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }
}
