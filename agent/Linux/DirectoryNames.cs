using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>
/// The names in one directory, in byte order, without <c>.</c> and <c>..</c>, read forward once. A directory of very many names
/// is sorted on disk: what is in memory does not grow with it.
/// </summary>
internal sealed class DirectoryNames : IDisposable
{
    private static readonly nint GetDents64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;

    // struct linux_dirent64: inode (8), offset (8), length of record (2), type (1), name.
    private const int LengthOffset = 16, TypeOffset = 18, NameOffset = 19;

    private readonly SpillFile? _spill;
    private readonly INames _names;

    private DirectoryNames(SpillFile? spill, INames names)
    {
        _spill = spill;
        _names = names;
    }

    /// <summary>The name, with its closing 0x00; the memory is not changed again.</summary>
    public ReadOnlyMemory<byte> CurrentWithEnd => _names.Record[1..];

    public ReadOnlySpan<byte> Current => _names.Record.Span[1..^1];

    /// <summary>What the directory says it is; it may be something else by now.</summary>
    public NameType CurrentType => (NameType)(_names.Record.Span[0] & ~NameRun.TypeMark);

    /// <summary>Reads all names with getdents64(2).</summary>
    /// <param name="buffer">Room for the kernel's records, used again and again.</param>
    /// <param name="spillDirectory">Where names go that are too many for memory.</param>
    /// <returns>0, or the errno that ended the reading early; the names read until then are there.</returns>
    public static unsafe int Read(int descriptor, byte[] buffer, string spillDirectory, out DirectoryNames names)
    {
        var run = new NameRun();
        SpillFile? spill = null;
        var errno = 0;
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var read = (int)LibC.SystemCall(GetDents64, descriptor, (nint)start, buffer.Length);
                if (read < 0)
                    errno = Marshal.GetLastPInvokeError();
                if (read <= 0)
                    break;

                Add(run, buffer.AsSpan(0, read));
                if (!run.IsFull)
                    continue;
                spill ??= SpillFile.TryCreate(spillDirectory);
                if (spill?.TryWrite(run) == true)
                    run = new NameRun();
            }
        }

        names = new DirectoryNames(spill, spill is null ? run.Sorted() : new MergedNames([run.Sorted(), .. spill.Runs()]));
        return errno;
    }

    public bool MoveNext() => _names.MoveNext();

    public void Dispose() => _spill?.Dispose();

    private static void Add(NameRun run, ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(records[LengthOffset..]);
            var name = records[NameOffset..length];
            name = name[..(name.IndexOf((byte)0) + 1)];
            if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                run.Add((NameType)records[TypeOffset], name);
            records = records[length..];
        }
    }
}
