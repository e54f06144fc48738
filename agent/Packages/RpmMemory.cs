using Telemetry.Agent.Scan;

namespace Telemetry.Agent.Packages;

/// <summary>What came of the last look at an rpm database that gave no entries to keep its stamp: so the next one need not run rpm.</summary>
internal sealed class RpmMemory
{
    // A full disk passes, and so does a lack of memory; a broken database stays.
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(5);

    private FileStamp _stamp = FileStamp.None;
    private DateTimeOffset _until;

    /// <summary>For people; null when there was none.</summary>
    public string? Trouble { get; private set; }

    public bool Knows(FileStamp stamp, DateTimeOffset now) => !stamp.IsNone && stamp == _stamp && now < _until;

    public void Remember(FileStamp stamp, string? trouble, DateTimeOffset now)
    {
        _stamp = stamp;
        _until = trouble is null ? DateTimeOffset.MaxValue : now + RetryAfter;
        Trouble = trouble;
    }
}
