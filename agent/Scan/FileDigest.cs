using System.Security.Cryptography;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Scrub;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>Digests contents through one buffer that is used again and again: one of these for each thread.</summary>
/// <param name="key">For the digests of secrets.</param>
internal sealed class FileDigest(FleetKey key, ReadBudget? budget = null) : IDisposable
{
    private const int BufferLength = 64 * 1024;

    // Below this, looking for holes costs more than reading them.
    private const ulong MinSparse = 1024 * 1024;

    // What is larger is not parsed into settings either, and no file of keys.
    private const int MaxJudgedLength = 1024 * 1024;

    // Of a file that says it has no size, such as the kernel's own.
    private const ulong MaxMadeUpLength = 16 * 1024 * 1024;

    private static readonly byte[] Zeros = new byte[BufferLength];

    private readonly byte[] _buffer = new byte[BufferLength];
    private IncrementalHash? _keyedHash;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="descriptor">At the start of the file.</param>
    /// <param name="status">Taken when it was opened.</param>
    /// <param name="isKeyed">Whether the digest is one under the fleet's key.</param>
    /// <returns>0 or the errno of a failed read.</returns>
    public int Read(
        int descriptor, in FileStatus status, SecretClass secret, ScanProgress progress, CancellationToken cancellation, out bool isKeyed, out Digest digest)
    {
        digest = default;
        isKeyed = false;
        var buffer = _buffer;
        if (status.Size is > BufferLength and <= MaxJudgedLength && FileSecrets.NeedsWhole(secret, status.Mode))
            buffer = new byte[(int)status.Size + 1];

        var length = Fill(descriptor, buffer, status.Size, out var atEnd);
        if (length < 0)
            return -length;

        progress.AddFileRead();
        isKeyed = FileSecrets.IsSecret(secret, status.Mode, buffer.AsSpan(0, length));
        if (atEnd)
        {
            Count(length, progress, cancellation);
            digest = isKeyed ? key.Digest(buffer.AsSpan(0, length)).Digest : Digest.Of(buffer.AsSpan(0, length));
            return 0;
        }

        var hash = isKeyed ? _keyedHash ??= key.Start() : _hash;
        var errno = status.IsSparse && status.Size >= MinSparse
            ? ReadSparse(hash, descriptor, (long)status.Size, progress, cancellation)
            : ReadOn(hash, descriptor, status.Size, buffer.AsSpan(0, length), progress, cancellation);
        Span<byte> bytes = stackalloc byte[Digest.Size];
        hash.GetHashAndReset(bytes);
        digest = new Digest(bytes);
        return errno;
    }

    public void Dispose()
    {
        _hash.Dispose();
        _keyedHash?.Dispose();
    }

    /// <summary>Reads until the buffer is full or the file ends; that it ends at its size is checked by the status afterwards.</summary>
    private static int Fill(int descriptor, Span<byte> buffer, ulong size, out bool atEnd)
    {
        var length = 0;
        while (length < buffer.Length)
        {
            atEnd = length > 0 && (ulong)length == size;
            if (atEnd)
                return length;
            var read = OpenFile.Read(descriptor, buffer[length..]);
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

    /// <summary>Digests what was read and all that follows, up to the size: a file that has grown meanwhile may grow for ever.</summary>
    private int ReadOn(IncrementalHash hash, int descriptor, ulong size, ReadOnlySpan<byte> read, ScanProgress progress, CancellationToken cancellation)
    {
        var isMadeUp = size == 0;
        for (var left = isMadeUp ? MaxMadeUpLength : size; ; left -= (ulong)read.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            if ((ulong)read.Length > left)
                return isMadeUp ? Errno.TooLarge : 0;  // the status afterwards tells
            hash.AppendData(read);
            Count(read.Length, progress, cancellation);

            var length = OpenFile.Read(descriptor, _buffer);
            if (length <= 0)
                return -length;
            read = _buffer.AsSpan(0, length);
        }
    }

    /// <summary>Digests zeros where the file has holes, without reading them.</summary>
    private int ReadSparse(IncrementalHash hash, int descriptor, long size, ScanProgress progress, CancellationToken cancellation)
    {
        for (long position = 0; position < size;)
        {
            var errno = OpenFile.SeekToData(descriptor, position, out var start, out var end);
            if (errno == Errno.NoSuchDevice)
                start = end = size;
            else if (errno != 0)
                return errno;

            AppendZeros(hash, Math.Min(start, size) - position, progress, cancellation);
            for (position = start; position < end;)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = OpenFile.Read(descriptor, _buffer.AsSpan(0, (int)Math.Min(BufferLength, end - position)));
                if (read <= 0)
                    return read < 0 ? -read : 0;  // cut short meanwhile: the status afterwards tells
                hash.AppendData(_buffer.AsSpan(0, read));
                Count(read, progress, cancellation);
                position += read;
            }
        }

        return 0;
    }

    private void Count(int bytes, ScanProgress progress, CancellationToken cancellation)
    {
        progress.AddBytes(bytes);
        budget?.Spend(bytes, cancellation);
    }

    private static void AppendZeros(IncrementalHash hash, long count, ScanProgress progress, CancellationToken cancellation)
    {
        for (; count > 0; count -= BufferLength)
        {
            cancellation.ThrowIfCancellationRequested();
            var length = (int)Math.Min(count, BufferLength);
            hash.AppendData(Zeros.AsSpan(0, length));
            progress.AddBytes(length);
        }
    }
}
