namespace Telemetry.Agent.Linux;

/// <summary>Files the kernel makes up, below <c>/proc</c> or <c>/sys</c>, or below a recorded copy of them. They have no size: they are read to their end.</summary>
/// <remarks>Names are relative, may have slashes, and end with 0x00. Links on the way are followed (<c>/proc/net</c> is one), one at the end is not.</remarks>
internal sealed class KernelFiles : IDisposable
{
    /// <summary>Of files that are read whole.</summary>
    public const int MaxLength = 16 * 1024 * 1024;

    private const int FirstLength = 4096;

    private KernelFiles(int descriptor) => Descriptor = descriptor;

    public int Descriptor { get; }

    /// <returns>Null when there is no such directory.</returns>
    public static KernelFiles? Open(string path) =>
        OpenFile.Root([.. System.Text.Encoding.UTF8.GetBytes(path), 0], out var descriptor) == 0 ? new KernelFiles(descriptor) : null;

    public int Read(ReadOnlySpan<byte> name, out byte[] content) => Read(Descriptor, name, out content);

    /// <returns>0 or an errno: ENOENT, EACCES, what the file itself answers (EIO, EINVAL …), EFBIG.</returns>
    public static int Read(int directory, ReadOnlySpan<byte> name, out byte[] content)
    {
        content = [];
        var errno = OpenFile.Regular(directory, name, out var descriptor);
        if (errno != 0)
            return errno;

        try
        {
            return ReadToEnd(descriptor, out content);
        }
        finally
        {
            OpenFile.Close(descriptor);
        }
    }

    /// <summary>As much as the buffer holds: a process decides itself how long some of its files are.</summary>
    /// <returns>Bytes read, or a negative errno.</returns>
    public static int ReadStart(int directory, ReadOnlySpan<byte> name, Span<byte> buffer)
    {
        var errno = OpenFile.Regular(directory, name, out var descriptor);
        if (errno != 0)
            return -errno;

        try
        {
            for (var length = 0; ;)
            {
                var read = OpenFile.Read(descriptor, buffer[length..]);
                if (read < 0)
                    return read;
                length += read;
                if (read == 0 || length == buffer.Length)
                    return length;
            }
        }
        finally
        {
            OpenFile.Close(descriptor);
        }
    }

    public void Dispose() => OpenFile.Close(Descriptor);

    private static int ReadToEnd(int descriptor, out byte[] content)
    {
        content = [];
        var buffer = new byte[FirstLength];
        for (var length = 0; ;)
        {
            var read = OpenFile.Read(descriptor, buffer.AsSpan(length));
            if (read < 0)
                return -read;
            length += read;
            if (read == 0)
            {
                content = buffer[..length];
                return 0;
            }

            if (length < buffer.Length)
                continue;
            if (length >= MaxLength)
                return Errno.TooLarge;
            Array.Resize(ref buffer, 2 * length);
        }
    }
}
