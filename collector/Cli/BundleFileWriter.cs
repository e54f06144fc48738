using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary>Writes a <see cref="BundleFile"/>. It appears under its name only when it is complete and on disk.</summary>
internal sealed class BundleFileWriter : IDisposable
{
    private readonly string _path;
    private readonly string _partial;
    private readonly bool _isForced;
    private readonly FileStream _stream;
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _completed;

    /// <param name="isForced">A file of that name is replaced.</param>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public BundleFileWriter(string path, Bundle bundle, bool isForced = false)
    {
        _isForced = isForced;
        _path = path;
        _partial = path + ".partial";

        // A link that somebody put there is not followed.
        File.Delete(_partial);
        _stream = new FileStream(_partial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 256 * 1024);
        Write(BundleFile.Magic);
        WriteBlock(bundle.ToByteArray());
    }

    /// <summary>Adds a node; its children were added before.</summary>
    public void Add(ReadOnlySpan<byte> node) => WriteBlock(node);

    public void Complete()
    {
        WriteBlock([]);
        _stream.Write(_digest.GetHashAndReset());
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_partial, _path, overwrite: _isForced);
        _completed = true;
    }

    /// <summary>Leaves no half file behind.</summary>
    public void Dispose()
    {
        _digest.Dispose();

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

    private void WriteBlock(ReadOnlySpan<byte> bytes)
    {
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(prefix, bytes.Length);
        Write(prefix);
        Write(bytes);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _digest.AppendData(bytes);
        _stream.Write(bytes);
    }
}
