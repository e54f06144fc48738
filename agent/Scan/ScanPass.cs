using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Scan;

/// <summary>One complete look at one kind: what was known before, and where entries and gaps go.</summary>
/// <param name="kind">Of the entries.</param>
/// <param name="previous">What the look before this one saw; null when there is none.</param>
/// <param name="entry">Takes each entry, in rising key order, in the thread that runs the scanner.</param>
/// <param name="progress">Counts entries and bytes.</param>
internal sealed class ScanPass(EntryKind kind, IPreviousEntries? previous, EntrySink entry, ScanProgress progress)
{
    private readonly GapList _gaps = new(kind);

    public IPreviousEntries? Previous { get; } = previous;

    /// <summary>Files to read whatever their stamps prove, in key order.</summary>
    public IReadOnlyList<EntryKey> Dirty { get; init; } = [];

    public ScanProgress Progress { get; } = progress;

    public IReadOnlyList<Gap> Gaps => _gaps.Build();

    public void Entry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, FileStamp stamp)
    {
        entry(key, value, stamp);
        Progress.AddEntry();
    }

    /// <summary>May be called by any of the scanner's threads.</summary>
    /// <param name="isRefused">For what the file itself holds, and no passing reason.</param>
    public void Gap(EntryKey prefix, string reason, bool isRefused = false)
    {
        lock (_gaps)
            _gaps.Add(prefix, reason, isRefused);
    }
}

/// <param name="key">Greater than the one before it.</param>
/// <param name="value">The encoded fingerprint.</param>
/// <param name="stamp">What proves next time that nothing changed; <see cref="FileStamp.None"/> when nothing does.</param>
internal delegate void EntrySink(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, FileStamp stamp);
