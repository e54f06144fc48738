using System.Buffers.Binary;
using Google.Protobuf;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Files;

/// <summary>A manifest in one file: what <c>scan</c> writes, and <c>show</c>, <c>diff</c> and <c>baselines import</c> read.</summary>
/// <remarks>
/// The format: eight bytes of magic with a version; nodes, each behind its length in four little-endian bytes, children
/// before parents; a zero length; the manifest message behind its length. Nothing follows. Every node is checked as it is
/// read, so a file that opens is complete and canonical.
/// </remarks>
public sealed class ManifestFile : INodeSource, IDisposable
{
    internal static ReadOnlySpan<byte> Magic => "TLMMAN\0\u0001"u8;

    private const int MaxHeadLength = 4 * 1024 * 1024;

    private readonly FileStream _stream;
    private readonly Dictionary<Digest, (long Offset, int Length)> _nodes = [];

    private ManifestFile(FileStream stream) => _stream = stream;

    public ManifestHead Head { get; private set; } = null!;

    /// <summary>Entries over all kinds.</summary>
    public long Entries { get; private set; }

    /// <exception cref="ManifestFileException">Not a manifest, damaged, or cut short.</exception>
    public static ManifestFile Open(string path)
    {
        var file = new ManifestFile(OpenStream(path));
        try
        {
            file.ReadAll(path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ReadOnlyMemory<byte> Read(Digest digest)
    {
        if (!_nodes.TryGetValue(digest, out var place))
            throw new NodeMissingException(digest);

        var bytes = new byte[place.Length];
        for (var read = 0; read < bytes.Length;)
        {
            var length = RandomAccess.Read(_stream.SafeFileHandle, bytes.AsSpan(read), place.Offset + read);
            if (length == 0)
                throw new ManifestFileException(_stream.Name, "was cut short while it was in use; scan again");
            read += length;
        }

        return bytes;
    }

    /// <summary>All nodes, children before parents.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Nodes() =>
        _nodes.OrderBy(node => node.Value.Offset).Select(node => Read(node.Key));

    public void Dispose() => _stream.Dispose();

    private static FileStream OpenStream(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ManifestFileException(path, "does not exist; make it with 'telemetry-agent scan'");
        }
        catch (UnauthorizedAccessException)
        {
            throw Directory.Exists(path)
                ? new ManifestFileException(path, "is a directory, not a manifest")
                : new ManifestFileException(path, "may not be read by this user") { IsDenied = true };
        }
        catch (IOException e)
        {
            throw new ManifestFileException(path, "cannot be read: " + e.Message);
        }
    }

    private void ReadAll(string path)
    {
        try
        {
            Span<byte> magic = stackalloc byte[Magic.Length];
            if (_stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) < magic.Length || !magic.SequenceEqual(Magic))
                throw new ManifestFileException(path, "is not a manifest; make one with 'telemetry-agent scan'");

            var summaries = new Dictionary<Digest, (NodeSummary Summary, bool CanBeRoot)>();
            while (ReadBlock(TreeNode.MaxLength) is { Length: > 0 } bytes)
                Keep(bytes, summaries);

            Head = V1.Manifest.Parser.ParseFrom(ReadBlock(MaxHeadLength)).ToModel();
            if (_stream.ReadByte() >= 0)
                throw new ManifestFileException(path, "is damaged: bytes follow its end");

            foreach (var kind in EntryKinds.All)
            {
                if (!summaries.TryGetValue(Head.Roots[kind], out var root) || !root.CanBeRoot)
                    throw new ManifestFileException(path, $"is damaged: its {kind.Name()} tree is not complete");
                Entries += root.Summary.Entries;
            }
        }
        catch (Exception e) when (e is NotCanonicalException or NodeMissingException or BadMessageException or InvalidProtocolBufferException)
        {
            throw new ManifestFileException(path, "is damaged: " + e.Message);
        }
        catch (EndOfStreamException)
        {
            throw new ManifestFileException(path, "is cut short; scan again");
        }
        catch (IOException e)
        {
            throw new ManifestFileException(path, "cannot be read: " + e.Message);
        }
    }

    private void Keep(byte[] bytes, Dictionary<Digest, (NodeSummary Summary, bool CanBeRoot)> summaries)
    {
        var digest = TreeNode.DigestOf(bytes);
        var node = TreeNode.Decode(bytes);
        var summary = NodeSummary.Check(node, digest, child =>
            summaries.TryGetValue(child, out var known) ? known.Summary : throw new NodeMissingException(child));

        summaries[digest] = (summary, NodeSummary.CanBeRoot(node));
        _nodes[digest] = (_stream.Position - bytes.Length, bytes.Length);
    }

    private byte[] ReadBlock(int limit)
    {
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        _stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length < 0 || length > limit)
            throw new NotCanonicalException($"a block of {length} bytes");

        var bytes = new byte[length];
        _stream.ReadExactly(bytes);
        return bytes;
    }
}

/// <summary>A file that cannot be used as a manifest; the message says why and what to do.</summary>
public sealed class ManifestFileException(string path, string reason) : Exception($"{path} {reason.TrimEnd('.')}.")
{
    /// <summary>Another user may read it.</summary>
    public bool IsDenied { get; init; }
}
