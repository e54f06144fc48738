using Microsoft.Win32.SafeHandles;

namespace Telemetry.Agent.Linux;

/// <summary>Sorted runs of names in a file that has no name of its own, so that nothing is left behind however this ends.</summary>
internal sealed class SpillFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly List<(long Start, long End)> _runs = [];
    private long _end;

    private SpillFile(SafeFileHandle file) => _file = file;

    /// <returns>Null when the directory can't be written to: the names stay in memory.</returns>
    public static SpillFile? TryCreate(string directory)
    {
        var path = Path.Combine(directory, $".names-{Guid.NewGuid():n}");
        try
        {
            var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
            File.Delete(path);
            return new SpillFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <returns>False when the disk is full: the run stays as it is.</returns>
    public bool TryWrite(NameRun run)
    {
        var start = _end;
        var output = new byte[64 * 1024];
        var length = 0;
        try
        {
            for (run.Sorted(); run.MoveNext();)
            {
                var record = run.Record.Span;
                if (length + record.Length > output.Length)
                    Flush();
                record.CopyTo(output.AsSpan(length));
                length += record.Length;
            }

            Flush();
        }
        catch (IOException)
        {
            run.Rewind();
            _end = start;
            return false;
        }

        _runs.Add((start, _end));
        return true;

        void Flush()
        {
            RandomAccess.Write(_file, output.AsSpan(0, length), _end);
            _end += length;
            length = 0;
        }
    }

    public IEnumerable<INames> Runs() => _runs.Select(run => new SpilledNames(_file, run.Start, run.End));

    public void Dispose() => _file.Dispose();

    private sealed class SpilledNames(SafeFileHandle file, long start, long end) : INames
    {
        // Holds many names, and little beside what the other runs hold.
        private const int BlockLength = 16 * 1024;

        private ReadOnlyMemory<byte> _block;

        public ReadOnlyMemory<byte> Record { get; private set; }

        public bool MoveNext()
        {
            var length = _block.Span.IndexOf((byte)0);
            if (length < 0)
            {
                if (start == end)
                    return false;
                Load();
                length = _block.Span.IndexOf((byte)0);
            }

            Record = _block[..(length + 1)];
            _block = _block[(length + 1)..];
            return true;
        }

        /// <summary>The next block begins with the name that this one holds only a part of.</summary>
        private void Load()
        {
            var block = new byte[(int)Math.Min(BlockLength, end - start)];
            var read = RandomAccess.Read(file, block, start);
            var whole = block.AsSpan(0, read).LastIndexOf((byte)0) + 1;
            if (whole == 0)
                throw new IOException("The file that holds the names of a directory was cut short.");
            _block = block.AsMemory(0, whole);
            start += whole;
        }
    }
}
