using System.Buffers.Binary;

namespace Telemetry.Agent.Linux;

/// <summary>A name in a directory that is known by its handle only.</summary>
/// <param name="filesystem">As statfs(2) gives it.</param>
/// <param name="handle">struct file_handle, for open_by_handle_at(2).</param>
/// <param name="name">Without 0x00; <c>.</c> for the directory itself.</param>
internal readonly ref struct WatchedName(ulong filesystem, ReadOnlySpan<byte> handle, ReadOnlySpan<byte> name)
{
    public ulong Filesystem { get; } = filesystem;

    public ReadOnlySpan<byte> Handle { get; } = handle;

    public ReadOnlySpan<byte> Name { get; } = name;

    public bool IsNone => Handle.IsEmpty;
}

/// <summary>One event of a group: struct fanotify_event_metadata and what follows it, of linux/fanotify.h.</summary>
internal readonly ref struct FanotifyEvent
{
    private const int HeaderLength = 24, RecordLength = 4, IdLength = 8, HandleHeader = 8;
    private const byte Version = 3;

    // Types of the records behind the header.
    private const byte FileItself = 1, DirectoryAndName = 2, Directory = 3, ProcessDescriptor = 4, OldDirectoryAndName = 10, NewDirectoryAndName = 12;

    private FanotifyEvent(WatchEvents events, int process, int processDescriptor, WatchedName name, WatchedName newName, WatchedName file)
    {
        File = file;
        Events = events;
        Process = process;
        ProcessFile = processDescriptor;
        Name = name;
        NewName = newName;
    }

    public WatchEvents Events { get; }

    /// <summary>Who did it.</summary>
    public int Process { get; }

    /// <summary>Holds that process; negative: it was gone, or none is reported. Whoever reads the event closes it.</summary>
    public int ProcessFile { get; }

    public WatchedName Name { get; }

    /// <summary>Of a rename that is one event, where the name went.</summary>
    public WatchedName NewName { get; }

    /// <summary>The file itself, whatever its names; without a name.</summary>
    public WatchedName File { get; }

    /// <summary>Takes the first event off what was read.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">The kernel speaks another version.</exception>
    public static bool TryRead(ref ReadOnlySpan<byte> buffer, out FanotifyEvent read)
    {
        read = default;
        if (buffer.Length < HeaderLength)
            return false;

        var length = BinaryPrimitives.ReadInt32LittleEndian(buffer);
        var headerLength = BinaryPrimitives.ReadUInt16LittleEndian(buffer[6..]);
        if (buffer[4] != Version || length < headerLength || length > buffer.Length || headerLength < HeaderLength)
            throw new InvalidDataException($"an fanotify event of version {buffer[4]} and {length} bytes");

        var events = (WatchEvents)BinaryPrimitives.ReadUInt64LittleEndian(buffer[8..]);
        var process = BinaryPrimitives.ReadInt32LittleEndian(buffer[20..]);
        var processFile = -1;
        WatchedName name = default, newName = default, file = default;
        for (var rest = buffer[headerLength..length]; rest.Length >= RecordLength;)
        {
            var recordLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]);
            if (recordLength < RecordLength || recordLength > rest.Length)
                throw new InvalidDataException($"an fanotify record of {recordLength} bytes");
            var record = rest[RecordLength..recordLength];
            switch (rest[0])
            {
                case DirectoryAndName or Directory or OldDirectoryAndName:
                    name = NameOf(record);
                    break;
                case NewDirectoryAndName:
                    newName = NameOf(record);
                    break;
                case FileItself:
                    file = NameOf(record);
                    break;
                case ProcessDescriptor:
                    processFile = BinaryPrimitives.ReadInt32LittleEndian(record);
                    break;
            }

            rest = rest[recordLength..];
        }

        read = new FanotifyEvent(events, process, processFile, name, newName, file);
        buffer = buffer[length..];
        return true;
    }

    private static WatchedName NameOf(ReadOnlySpan<byte> record)
    {
        var filesystem = BinaryPrimitives.ReadUInt64LittleEndian(record);
        var handleLength = HandleHeader + BinaryPrimitives.ReadInt32LittleEndian(record[IdLength..]);
        var handle = record.Slice(IdLength, handleLength);
        var name = record[(IdLength + handleLength)..];
        var end = name.IndexOf((byte)0);
        return new WatchedName(filesystem, handle, end < 0 ? name : name[..end]);
    }
}
