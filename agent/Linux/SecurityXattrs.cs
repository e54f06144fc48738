using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Linux;

/// <summary>A digest over the extended attributes that decide what a file may do or who may use it: xattr(7), capabilities(7), acl(5).</summary>
/// <remarks>
/// The format: SHA-256 over, for each of the four attributes that exists, in byte order of their names: the length of the name in
/// four little-endian bytes, the name, the length of the value in four little-endian bytes, the value. None exists: no digest.
/// </remarks>
internal static class SecurityXattrs
{
    private const int ListLength = 512;
    private const int MaxLength = 64 * 1024;

    // In byte order, each with its closing 0x00.
    private static readonly byte[][] Names =
    [
        "security.capability\0"u8.ToArray(),
        "security.selinux\0"u8.ToArray(),
        "system.posix_acl_access\0"u8.ToArray(),
        "system.posix_acl_default\0"u8.ToArray(),
    ];

    /// <summary>Of an open file or directory.</summary>
    /// <returns>0 or an errno; no such attributes and no support for them are no error.</returns>
    public static int Of(int descriptor, out Digest? digest) => Read(descriptor, [], out digest);

    /// <summary>Of a name that can't or must not be opened, through its directory's place in <c>/proc/self/fd</c>.</summary>
    /// <param name="name">Ends with 0x00.</param>
    public static int Of(int directory, ReadOnlySpan<byte> name, out Digest? digest)
    {
        var path = new byte[32 + name.Length];
        var length = Encoding.ASCII.GetBytes($"/proc/self/fd/{directory}/", path);
        name.CopyTo(path.AsSpan(length));
        return Read(-1, path, out digest);
    }

    [SkipLocalsInit]
    private static unsafe int Read(int descriptor, ReadOnlySpan<byte> path, out Digest? digest)
    {
        digest = null;
        Span<byte> list = stackalloc byte[ListLength];
        nint length;
        fixed (byte* file = path, start = list)
            length = descriptor >= 0 ? LibC.ListXattrs(descriptor, start, ListLength) : LibC.ListXattrs(file, start, ListLength);
        if (length == 0)
            return 0;
        if (length > 0)
            return Hash(descriptor, path, list[..(int)length], out digest);

        // A list that does not fit: ask for each of the four.
        var errno = Marshal.GetLastPInvokeError();
        return errno switch
        {
            Errno.OutOfRange => Hash(descriptor, path, Names.SelectMany(name => name).ToArray(), out digest),
            Errno.NotSupported => 0,
            _ => errno,
        };
    }

    private static int Hash(int descriptor, ReadOnlySpan<byte> path, ReadOnlySpan<byte> list, out Digest? digest)
    {
        digest = null;
        IncrementalHash? hash = null;
        try
        {
            foreach (var name in Names)
            {
                if (list.IndexOf(name) < 0)
                    continue;
                var errno = Value(descriptor, path, name, out var value);
                if (errno is Errno.NoData or Errno.NotSupported)
                    continue;
                if (errno != 0)
                    return errno;

                hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                Append(hash, name.AsSpan(..^1));
                Append(hash, value);
            }

            digest = hash is null ? null : new Digest(hash.GetHashAndReset());
            return 0;
        }
        finally
        {
            hash?.Dispose();
        }
    }

    private static unsafe int Value(int descriptor, ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, out byte[] value)
    {
        var buffer = new byte[MaxLength];
        fixed (byte* file = path, attribute = name, start = buffer)
        {
            var length = descriptor >= 0
                ? LibC.GetXattr(descriptor, attribute, start, MaxLength)
                : LibC.GetXattr(file, attribute, start, MaxLength);
            value = length < 0 ? [] : buffer[..(int)length];
            return length < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }

    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
