using System.Buffers.Binary;
using Google.Protobuf;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Files;

/// <summary>Writes a <see cref="ManifestFile"/>. It appears under its name only when it is complete and on disk.</summary>
public sealed class ManifestFileWriter : IDisposable
{
    private readonly string _path;
    private readonly string _partial;
    private readonly FileStream _stream;
    private readonly HashSet<Digest> _written = [];
    private bool _completed;

    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public ManifestFileWriter(string path)
    {
        _path = path;
        _partial = path + ".partial";
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            throw new IOException($"'{path}' can't be written: the folder it is to be in is not there.");

        // A link that somebody put there is not followed.
        File.Delete(_partial);
        _stream = new FileStream(_partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 256 * 1024);
        _stream.Write(ManifestFile.Magic);
        Add(EncodedNode.Empty);
    }

    /// <summary>Adds a node; its children were added before.</summary>
    public void Add(EncodedNode node)
    {
        if (_written.Add(node.Digest))
            WriteBlock(node.Bytes);
    }

    public void Complete(ManifestHead head)
    {
        WriteBlock([]);
        WriteBlock(head.ToMessage().ToByteArray());
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_partial, _path, overwrite: true);
        _completed = true;
    }

    /// <summary>Leaves no half file behind.</summary>
    public void Dispose()
    {
        // Closing writes what is still buffered, and fails when the disk is full.
        try
        {
            _stream.Dispose();
        }
        finally
        {
            if (!_completed)
                File.Delete(_partial);
        }
    }

    private void WriteBlock(byte[] bytes)
    {
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(prefix, bytes.Length);
        _stream.Write(prefix);
        _stream.Write(bytes);
    }
}
