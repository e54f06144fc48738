using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Telemetry.Protocol.Files;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Spool;

/// <summary>A file of consecutive records of one epoch and one hour. It has at least one.</summary>
/// <remarks>
/// Header, little-endian: magic with the version of the format (8), epoch (8), first sequence (8), hour and tally at the end of the
/// segment before (16), CRC-32C of that (4).
/// </remarks>
internal sealed class Segment : IDisposable
{
    public const string Extension = ".spool";
    public const int HeaderLength = 44;

    private static ReadOnlySpan<byte> Magic => "TLMSPL\0\u0001"u8;

    // Only of the one that is written.
    private SafeFileHandle? _handle;

    private Segment(string path) => Path = path;

    public string Path { get; }

    public ulong Epoch { get; private init; }

    public ulong First { get; private init; } = 1;

    /// <summary>Below <see cref="First"/>: none can be read.</summary>
    public ulong LastSequence { get; private set; }

    public HeadPosition Last => new(Epoch, LastSequence);

    /// <summary>Up to the end of the last whole record.</summary>
    public long Length { get; private set; }

    /// <summary>Of the file.</summary>
    public long Size { get; private set; }

    /// <summary>At the end of the segment before; it may be damaged by now.</summary>
    public Tally Before { get; private init; }

    public Tally Start { get; private set; }

    public Tally End { get; private set; }

    /// <summary>Of the last record: up to here nothing was needed any more.</summary>
    public HeadPosition Done { get; private set; }

    public bool IsEmpty => LastSequence < First;

    public bool IsDamaged => IsEmpty || Length < Size;

    /// <summary>One that was deleted would take what nobody finds again.</summary>
    public bool IsWritable => _handle is not null && !IsDamaged && File.Exists(Path);

    /// <exception cref="IOException">Nothing was written, or nothing that counts.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static Segment Create(string directory, SpoolRecord first, HeadPosition done, Tally before)
    {
        PrivateDirectory.Create(directory);
        var name = string.Create(CultureInfo.InvariantCulture, $"{first.Position.Epoch:x16}-{first.Position.Sequence:x16}{Extension}");
        var segment = new Segment(System.IO.Path.Combine(directory, name))
        {
            Epoch = first.Position.Epoch,
            First = first.Position.Sequence,
            LastSequence = first.Position.Sequence - 1,
            Before = before,
        };
        try
        {
            segment._handle = File.OpenHandle(segment.Path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[HeaderLength + RecordFormat.Length(first)];
            segment.WriteHeader(bytes);
            segment.Append(bytes, HeaderLength, first, done);
            return segment;
        }
        catch
        {
            segment.Dispose();
            File.Delete(segment.Path);
            throw;
        }
    }

    /// <summary>Reads all of it, to where it is as it was written. What can't be read at all is empty.</summary>
    public static Segment Open(string path)
    {
        try
        {
            using var handle = OpenRead(path);
            var size = RandomAccess.GetLength(handle);
            Span<byte> header = stackalloc byte[HeaderLength];
            if (RandomAccess.Read(handle, header, 0) < HeaderLength
                || !header.StartsWith(Magic)
                || BinaryPrimitives.ReadUInt32LittleEndian(header[40..]) != RecordFormat.Checksum(header[..40]))
                return Unreadable(path, size);

            var segment = new Segment(path)
            {
                Epoch = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]),
                First = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
                LastSequence = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]) - 1,
                Before = new Tally(BinaryPrimitives.ReadInt64LittleEndian(header[24..]), BinaryPrimitives.ReadUInt64LittleEndian(header[32..])),
                Length = HeaderLength,
                Size = size,
            };
            while (segment.Read(handle, segment.Length, segment.LastSequence + 1, withPayload: false, out var next, out var done) is { } record)
                segment.Took(record, next, done);
            return segment;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Unreadable(path, size: 1);
        }
    }

    /// <exception cref="IOException">Nothing was written that counts.</exception>
    public void Append(SpoolRecord record, HeadPosition done) => Append(new byte[RecordFormat.Length(record)], 0, record, done);

    /// <param name="offset">Of a record, or of the end.</param>
    /// <param name="sequence">That it has.</param>
    /// <returns>Null: it can't be read.</returns>
    public SpoolRecord? Read(ref long offset, ulong sequence, bool withPayload)
    {
        try
        {
            if (_handle is not null)
                return Read(_handle, offset, sequence, withPayload, out offset, out _);
            using var handle = OpenRead(Path);
            return Read(handle, offset, sequence, withPayload, out offset, out _);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>How far the records count that follow what is whole, as far as their headers still say so.</summary>
    /// <param name="before">At the end of what is whole.</param>
    /// <returns>Null: nothing can be told.</returns>
    public Tally? Beyond(Tally before) => Beyond(Length, LastSequence, before, ulong.MaxValue);

    /// <summary>The same of the records that follow another one.</summary>
    /// <param name="offset">Behind that one.</param>
    /// <param name="last">Its number.</param>
    /// <param name="before">With it.</param>
    /// <param name="until">The last that counts.</param>
    public Tally? Beyond(long offset, ulong last, Tally before, ulong until)
    {
        Tally? end = null;
        try
        {
            using var handle = OpenRead(Path);
            Span<byte> header = stackalloc byte[RecordFormat.HeaderLength];
            offset = Math.Max(offset, HeaderLength);
            while (last < until && RandomAccess.Read(handle, header, offset) == header.Length && RecordFormat.ReadTorn(header, last, end ?? before) is var (sequence, tally))
            {
                (end, last) = (tally, sequence);
                offset += RecordFormat.ReadLength(header);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return end;
        }

        return end;
    }

    /// <summary>What comes after a record is given up.</summary>
    public void Cut(long length, ulong lastSequence, Tally end)
    {
        Length = length;
        LastSequence = lastSequence;
        End = end;
    }

    /// <summary>Makes the file as long as what is whole of it; without a record it goes.</summary>
    /// <exception cref="IOException">It stays as it is.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public void Repair()
    {
        Dispose();
        if (IsEmpty)
        {
            File.Delete(Path);
            return;
        }

        using var handle = File.OpenHandle(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.SetLength(handle, Length);
        Size = Length;
    }

    /// <summary>Nothing follows in it. From here on it survives also a crash of the machine.</summary>
    /// <exception cref="IOException">Perhaps it does not.</exception>
    public void Close()
    {
        using var handle = _handle;
        _handle = null;
        if (handle is not null)
            RandomAccess.FlushToDisk(handle);
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
    }

    private static SafeFileHandle OpenRead(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Its name still says where it began.</summary>
    private static Segment Unreadable(string path, long size)
    {
        var name = System.IO.Path.GetFileNameWithoutExtension(path).Split('-');
        return name.Length == 2
            && ulong.TryParse(name[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var epoch)
            && ulong.TryParse(name[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var first)
            && first > 0
            ? new Segment(path) { Epoch = epoch, First = first, LastSequence = first - 1, Size = size }
            : new Segment(path) { Size = size };
    }

    private void WriteHeader(Span<byte> to)
    {
        Magic.CopyTo(to);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], First);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], Before.Hour);
        BinaryPrimitives.WriteUInt64LittleEndian(to[32..], Before.Collected);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], RecordFormat.Checksum(to[..40]));
    }

    private void Append(byte[] bytes, int at, SpoolRecord record, HeadPosition done)
    {
        RecordFormat.Write(bytes.AsSpan(at), record, done);
        try
        {
            RandomAccess.Write(_handle!, bytes, Length);
        }
        catch (IOException)
        {
            // What of it was written would be taken for damage. If it can't be undone, nothing is written behind it.
            Size = Length + 1;
            RandomAccess.SetLength(_handle!, Length);
            Size = Length;
            throw;
        }

        Took(record, Length + bytes.Length, done);
        Size = Length;
    }

    private void Took(SpoolRecord record, long length, HeadPosition done)
    {
        if (IsEmpty)
            Start = new Tally(record.Hour, record.Collected - record.Units);
        Length = length;
        LastSequence = record.Position.Sequence;
        End = Tally.At(record);
        Done = done;
    }

    private SpoolRecord? Read(SafeFileHandle handle, long offset, ulong sequence, bool withPayload, out long next, out HeadPosition done)
    {
        next = offset;
        done = default;
        Span<byte> header = stackalloc byte[RecordFormat.HeaderLength];
        if (RandomAccess.Read(handle, header, offset) < header.Length)
            return null;
        var length = RecordFormat.ReadLength(header);
        if (length > Size - offset)
            return null;

        var buffer = ArrayPool<byte>.Shared.Rent((int)length);
        try
        {
            var bytes = buffer.AsSpan(0, (int)length);
            if (RandomAccess.Read(handle, bytes, offset) < length
                || RecordFormat.Read(bytes, Epoch, withPayload, out done) is not { } record
                || record.Position.Sequence != sequence)
                return null;
            next = offset + length;
            return record;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
