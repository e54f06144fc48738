using System.Buffers.Text;
using System.IO.Enumeration;
using System.Text;
using Telemetry.Agent.Linux;
using Telemetry.Agent.SystemFacts;

namespace Telemetry.Agent.Health;

/// <summary><c>processes</c>: how many there are in which state, and their threads (proc_pid_stat(5)).</summary>
internal sealed class ProcessesProbe : IProbe
{
    // Counted from the state, which is column 3.
    private const int ColumnsBeforeThreads = 20 - 4;

    private static readonly EnumerationOptions All = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    private readonly string _proc;
    private readonly byte[] _prefix;

    public ProcessesProbe(string proc)
    {
        _proc = proc;
        _prefix = Encoding.UTF8.GetBytes(Path.GetFullPath(proc) + "/");
    }

    public string Name => "processes";

    public void Read(ProbeReading reading)
    {
        if (!Directory.Exists(_proc))
            return;

        var counts = default(ProcessCounts);
        var processes = new FileSystemEnumerable<int>(_proc, static (ref FileSystemEntry entry) => int.Parse(entry.FileName), All)
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => int.TryParse(entry.FileName, out _),
        };
        foreach (var pid in processes)
            Count(pid, ref counts, reading);
        if (counts.Total > 0)
            reading.Add(Name, counts.ToFields());
    }

    private void Count(int pid, ref ProcessCounts counts, ProbeReading reading)
    {
        Span<byte> path = stackalloc byte[_prefix.Length + 32];
        _prefix.CopyTo(path);
        Utf8Formatter.TryFormat(pid, path[_prefix.Length..], out var length);
        "/stat\0"u8.CopyTo(path[(_prefix.Length + length)..]);

        // A name has 64 bytes at most, and what is looked for follows soon.
        Span<byte> buffer = stackalloc byte[512];
        var read = KernelFiles.ReadStart(0, path, buffer);
        if (read < 0)
        {
            if (!Errno.IsGone(-read))
                reading.Skip($"process {pid} can't be read: {Errno.Text(-read)}");
            return;
        }

        if (!TryParse(buffer[..read], out var state, out var threads))
            reading.Skip($"process {pid} has no state");
        else
            counts.Add(state, threads);
    }

    /// <summary>The name, in brackets, may hold brackets and spaces itself: the state follows the last one.</summary>
    private static bool TryParse(ReadOnlySpan<byte> stat, out byte state, out long threads)
    {
        (state, threads) = (0, 0);
        var name = stat.LastIndexOf((byte)')');
        if (name < 0 || name + 2 >= stat.Length)
            return false;

        stat = stat[(name + 2)..];
        state = Columns.Next(ref stat) is [var letter, ..] ? letter : default;
        for (var i = 0; i < ColumnsBeforeThreads; i++)
            Columns.Next(ref stat);
        return state != 0 && KernelColumns.TryCounter(ref stat, out threads);
    }
}
