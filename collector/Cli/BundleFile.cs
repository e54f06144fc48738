using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary>A baseline on its way between collectors: what <c>baselines export</c> writes and <c>baselines import</c> reads.</summary>
/// <remarks>
/// The format: eight bytes of magic with a version; the bundle message behind its length in four little-endian bytes; nodes, each
/// behind its length, children before parents; a zero length; the SHA-256 of all that. Nothing follows. The digest tells damage; that
/// nobody altered it, the signatures say, which the collector checks.
/// </remarks>
internal sealed class BundleFile : IDisposable
{
    private const int MaxHeadLength = 64 * 1024 * 1024;

    private readonly FileStream _stream;

    private BundleFile(FileStream stream, Bundle bundle)
    {
        _stream = stream;
        Bundle = bundle;
    }

    public static ReadOnlySpan<byte> Magic => "TLMBUN\0\u0001"u8;

    public Bundle Bundle { get; }

    /// <summary>Whether a file begins as a bundle does.</summary>
    public static bool IsBundle(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var magic = new byte[Magic.Length];
            return stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && Magic.SequenceEqual(magic);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever opens it as what it should be says what is wrong.
            return false;
        }
    }

    /// <exception cref="CommandException">Damaged, or it cannot be read.</exception>
    public static BundleFile Open(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024, FileOptions.SequentialScan);
            try
            {
                CheckDigest(stream);
                stream.Position = Magic.Length;
                return new BundleFile(stream, Bundle.Parser.ParseFrom(ReadBlock(stream, MaxHeadLength)));
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is InvalidDataException or InvalidProtocolBufferException or EndOfStreamException)
        {
            throw Damaged(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.No, $"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>All nodes, children before parents. Once.</summary>
    /// <exception cref="CommandException">Damaged.</exception>
    public IEnumerable<ReadOnlyMemory<byte>> Nodes()
    {
        while (ReadNode() is { Length: > 0 } node)
            yield return node;
        if (_stream.Position != _stream.Length - SHA256.HashSizeInBytes)
            throw Damaged(_stream.Name);
    }

    public void Dispose() => _stream.Dispose();

    private byte[] ReadNode()
    {
        try
        {
            return ReadBlock(_stream, TreeNode.MaxLength);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Damaged(_stream.Name);
        }
    }

    private static CommandException Damaged(string path) => new(ExitCode.No, $"{path} is damaged: export it again, or copy it again.");

    private static void CheckDigest(FileStream stream)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        for (var left = stream.Length - SHA256.HashSizeInBytes; left > 0;)
        {
            var length = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
            if (length == 0)
                throw new EndOfStreamException();
            digest.AppendData(buffer, 0, length);
            left -= length;
        }

        var told = new byte[SHA256.HashSizeInBytes];
        stream.ReadExactly(told);
        if (!digest.GetHashAndReset().AsSpan().SequenceEqual(told))
            throw new InvalidDataException();
    }

    private static byte[] ReadBlock(FileStream stream, int limit)
    {
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length < 0 || length > limit)
            throw new InvalidDataException();

        var bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
