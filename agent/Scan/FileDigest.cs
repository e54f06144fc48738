using System.Security.Cryptography;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Digests contents through one buffer that is used again and again: one of these for each thread.</summary>
internal sealed class FileDigest : IDisposable
{
    private const int BufferLength = 64 * 1024;

    // Below this, looking for holes costs more than reading them.
    private const ulong MinSparse = 1024 * 1024;

    private static readonly byte[] Zeros = new byte[BufferLength];

    private readonly byte[] _buffer = new byte[BufferLength];
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="descriptor">At the start of the file.</param>
    /// <param name="status">Taken when it was opened.</param>
    /// <returns>0 or the errno of a failed read.</returns>
    public int Read(int descriptor, in FileStatus status, ScanProgress progress, CancellationToken cancellation, out Digest digest)
    {
        digest = default;
        var length = Fill(descriptor, status.Size, out var atEnd);
        if (length < 0)
            return -length;

        progress.AddFileRead();
        if (atEnd)
        {
            progress.AddBytes(length);
            digest = Digest.Of(_buffer.AsSpan(0, length));
            return 0;
        }

        var errno = status.IsSparse && status.Size >= MinSparse
            ? ReadSparse(descriptor, (long)status.Size, progress, cancellation)
            : ReadOn(descriptor, length, progress, cancellation);
        Span<byte> bytes = stackalloc byte[Digest.Size];
        _hash.GetHashAndReset(bytes);
        digest = new Digest(bytes);
        return errno;
    }

    public void Dispose() => _hash.Dispose();

    /// <summary>Reads until the buffer is full or the file ends; that it ends at its size is checked by the status afterwards.</summary>
    private int Fill(int descriptor, ulong size, out bool atEnd)
    {
        var length = 0;
        while (length < BufferLength)
        {
            atEnd = length > 0 && (ulong)length == size;
            if (atEnd)
                return length;
            var read = OpenFile.Read(descriptor, _buffer.AsSpan(length));
            atEnd = read == 0;
            if (read < 0)
                return read;
            if (atEnd)
                return length;
            length += read;
        }

        atEnd = false;
        return length;
    }

    /// <summary>Digests what the buffer holds and all that follows.</summary>
    private int ReadOn(int descriptor, int length, ScanProgress progress, CancellationToken cancellation)
    {
        for (; length > 0; length = OpenFile.Read(descriptor, _buffer))
        {
            cancellation.ThrowIfCancellationRequested();
            _hash.AppendData(_buffer.AsSpan(0, length));
            progress.AddBytes(length);
        }

        return -length;
    }

    /// <summary>Digests zeros where the file has holes, without reading them.</summary>
    private int ReadSparse(int descriptor, long size, ScanProgress progress, CancellationToken cancellation)
    {
        for (long position = 0; position < size;)
        {
            var errno = OpenFile.SeekToData(descriptor, position, out var start, out var end);
            if (errno == Errno.NoSuchDevice)
                start = end = size;
            else if (errno != 0)
                return errno;

            AppendZeros(Math.Min(start, size) - position, progress, cancellation);
            for (position = start; position < end;)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = OpenFile.Read(descriptor, _buffer.AsSpan(0, (int)Math.Min(BufferLength, end - position)));
                if (read <= 0)
                    return read < 0 ? -read : 0;  // cut short meanwhile: the status afterwards tells
                _hash.AppendData(_buffer.AsSpan(0, read));
                progress.AddBytes(read);
                position += read;
            }
        }

        return 0;
    }

    private void AppendZeros(long count, ScanProgress progress, CancellationToken cancellation)
    {
        for (; count > 0; count -= BufferLength)
        {
            cancellation.ThrowIfCancellationRequested();
            var length = (int)Math.Min(count, BufferLength);
            _hash.AppendData(Zeros.AsSpan(0, length));
            progress.AddBytes(length);
        }
    }
}
