using System.Collections.Concurrent;
using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>How far a scan is, and what it could not finish. Written by its threads, read by whoever wants to know.</summary>
internal sealed class ScanProgress
{
    // More are left to the next look at everything.
    private const int MaxRestless = 1000;

    private readonly ConcurrentQueue<LookPart> _restless = [];
    private long _entries, _bytes, _filesRead;

    public long Entries => Interlocked.Read(ref _entries);

    /// <summary>Content bytes digested, holes included.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Files whose content was read; a rescan of what did not change reads none.</summary>
    public long FilesRead => Interlocked.Read(ref _filesRead);

    /// <summary>What kept changing while it was looked at: it is worth another look soon.</summary>
    public IReadOnlyCollection<LookPart> Restless => _restless;

    public void AddEntry() => Interlocked.Increment(ref _entries);

    public void AddBytes(long count) => Interlocked.Add(ref _bytes, count);

    public void AddFileRead() => Interlocked.Increment(ref _filesRead);

    public void AddRestless(EntryKey key, bool isDeep)
    {
        if (_restless.Count < MaxRestless)
            _restless.Enqueue(new LookPart(key, isDeep));
    }
}
