namespace Telemetry.Agent.Scan;

/// <summary>How far a scan is. Written by its threads, read by whoever wants to know.</summary>
internal sealed class ScanProgress
{
    private long _entries, _bytes, _filesRead;

    public long Entries => Interlocked.Read(ref _entries);

    /// <summary>Content bytes digested, holes included.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Files whose content was read; a rescan of what did not change reads none.</summary>
    public long FilesRead => Interlocked.Read(ref _filesRead);

    public void AddEntry() => Interlocked.Increment(ref _entries);

    public void AddBytes(long count) => Interlocked.Add(ref _bytes, count);

    public void AddFileRead() => Interlocked.Increment(ref _filesRead);
}
