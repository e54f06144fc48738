using System.Buffers;
using System.Text;

namespace Telemetry.Agent.Linux;

/// <summary>One file that the kernel makes up, read whole into a rented buffer: what is read every few seconds leaves no garbage.</summary>
internal ref struct KernelFile : IDisposable
{
    private const int FirstLength = 16 * 1024;

    private byte[]? _buffer;
    private int _length;

    public readonly ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <summary>As it is opened: absolute, with the closing 0x00.</summary>
    public static byte[] PathOf(string root, string name) => Encoding.UTF8.GetBytes(Path.Join(Path.GetFullPath(root), name) + "\0");

    /// <param name="path">See <see cref="PathOf"/>.</param>
    /// <returns>False: this kernel has no such file, or it has nothing to say.</returns>
    /// <exception cref="IOException">It can't be read.</exception>
    public static bool TryRead(ReadOnlySpan<byte> path, out KernelFile file)
    {
        file = default;
        var errno = OpenFile.Regular(0, path, out var descriptor);
        try
        {
            if (errno == 0)
                errno = file.ReadToEnd(descriptor);
        }
        finally
        {
            if (descriptor >= 0)
                OpenFile.Close(descriptor);
        }

        if (errno == 0)
            return true;
        file.Dispose();
        if (Errno.IsGone(errno) || errno == Errno.NotSupported)
            return false;
        throw new IOException($"{Encoding.UTF8.GetString(path[..^1])} can't be read: {Errno.Text(errno)}");
    }

    public void Dispose()
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = null;
        _length = 0;
    }

    private int ReadToEnd(int descriptor)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(FirstLength);
        while (true)
        {
            var read = OpenFile.Read(descriptor, _buffer.AsSpan(_length));
            if (read < 0)
                return -read;
            _length += read;
            if (read == 0)
                return 0;
            if (_length < _buffer.Length)
                continue;
            if (_length >= KernelFiles.MaxLength)
                return Errno.TooLarge;

            var larger = ArrayPool<byte>.Shared.Rent(2 * _length);
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }
}
