using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Telemetry.Agent.Linux;

/// <summary>The names in one directory, in byte order, without <c>.</c> and <c>..</c>.</summary>
internal sealed class DirectoryNames
{
    private static readonly nint GetDents64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;

    // struct linux_dirent64: inode (8), offset (8), length of record (2), type (1), name.
    private const int LengthOffset = 16, NameOffset = 19;

    private byte[] _bytes = new byte[512];
    private int[] _starts = new int[16];
    private int _end;

    public int Count { get; private set; }

    /// <summary>Reads all names with getdents64(2).</summary>
    /// <param name="buffer">Room for the kernel's records, used again and again.</param>
    /// <returns>0, or the errno that ended the reading early; the names read until then are there.</returns>
    public static unsafe int Read(int descriptor, byte[] buffer, out DirectoryNames names)
    {
        names = new DirectoryNames();
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
                names.Add(buffer.AsSpan(0, read));
            }
        }

        names.Sort();
        return errno;
    }

    public ReadOnlySpan<byte> this[int index] => NameAt(_bytes, _starts[index], _end);

    /// <summary>A name with its closing 0x00; the memory is not changed again.</summary>
    public ReadOnlyMemory<byte> WithEnd(int index) => _bytes.AsMemory(_starts[index], this[index].Length + 1);

    private void Add(ReadOnlySpan<byte> records)
    {
        while (!records.IsEmpty)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(records[LengthOffset..]);
            var name = records[NameOffset..length];
            AddName(name[..(name.IndexOf((byte)0) + 1)]);
            records = records[length..];
        }
    }

    private void AddName(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual(".\0"u8) || name.SequenceEqual("..\0"u8))
            return;

        if (_end + name.Length > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _end + name.Length));
        if (Count == _starts.Length)
            Array.Resize(ref _starts, 2 * _starts.Length);
        name.CopyTo(_bytes.AsSpan(_end));
        _starts[Count++] = _end;
        _end += name.Length;
    }

    private void Sort()
    {
        var bytes = _bytes;
        var end = _end;
        _starts.AsSpan(0, Count).Sort((left, right) => NameAt(bytes, left, end).SequenceCompareTo(NameAt(bytes, right, end)));
    }

    private static ReadOnlySpan<byte> NameAt(byte[] bytes, int start, int end)
    {
        var tail = bytes.AsSpan(start, end - start);
        return tail[..tail.IndexOf((byte)0)];
    }
}
