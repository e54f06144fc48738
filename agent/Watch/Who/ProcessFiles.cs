using System.Buffers.Text;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Watch.Who;

/// <summary>Reads single files below <c>/proc/PID</c>, or below a recorded copy of it. Not for several threads.</summary>
internal sealed class ProcessFiles(string proc) : IDisposable
{
    // Enough for status and for what is shown of a command line; who writes a longer one can't make us read it.
    private const int MaxLength = 16 * 1024;

    private readonly KernelFiles? _proc = KernelFiles.Open(proc);
    private readonly byte[] _buffer = new byte[MaxLength];

    /// <param name="file">Such as <c>stat</c>.</param>
    /// <param name="isCut">Whether the file is longer than what was read.</param>
    /// <returns>Valid until the next call; empty when it can't be read, too.</returns>
    public ReadOnlySpan<byte> Read(int pid, ReadOnlySpan<byte> file, out bool isCut)
    {
        Span<byte> path = stackalloc byte[64];
        var length = _proc is null ? -1 : KernelFiles.ReadStart(_proc.Descriptor, Path(path, pid, file), _buffer);
        isCut = length == _buffer.Length;
        return _buffer.AsSpan(0, Math.Max(length, 0));
    }

    public ReadOnlySpan<byte> Read(int pid, ReadOnlySpan<byte> file) => Read(pid, file, out _);

    /// <summary>Where the link <c>exe</c> points to; empty when it can't be read.</summary>
    /// <returns>Valid until the next call.</returns>
    public ReadOnlySpan<byte> Executable(int pid)
    {
        Span<byte> path = stackalloc byte[64];
        if (_proc is null || LinkTarget.Read(_proc.Descriptor, Path(path, pid, "exe"u8), _buffer.AsSpan(0, 4096), out var length) != 0)
            return [];
        return _buffer.AsSpan(0, length);
    }

    /// <summary>Number of the filesystem the program was started from; null when it can't be told.</summary>
    public ulong? ExecutableDevice(int pid)
    {
        Span<byte> path = stackalloc byte[64];
        return _proc is not null && FileStatus.Behind(_proc.Descriptor, Path(path, pid, "exe"u8), out var status) == 0 ? status.Device : null;
    }

    /// <summary>The cursor of pids in the agent's namespace: they are handed out in a circle (proc_loadavg(5)). 0 when unknown.</summary>
    public int LastPid()
    {
        var length = _proc is null ? -1 : KernelFiles.ReadStart(_proc.Descriptor, "loadavg\0"u8, _buffer);
        var text = _buffer.AsSpan(0, Math.Max(length, 0)).TrimEnd((byte)'\n');
        return Utf8Parser.TryParse(text[(text.LastIndexOf((byte)' ') + 1)..], out int last, out _) ? last : 0;
    }

    public void Dispose() => _proc?.Dispose();

    private static ReadOnlySpan<byte> Path(Span<byte> path, int pid, ReadOnlySpan<byte> file)
    {
        Utf8Formatter.TryFormat(pid, path, out var length);
        path[length++] = (byte)'/';
        file.CopyTo(path[length..]);
        length += file.Length;
        path[length] = 0;
        return path[..(length + 1)];
    }
}
