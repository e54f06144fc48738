using Microsoft.Extensions.Logging;

namespace Telemetry.Agent.Spool;

/// <summary>Reports that are not acknowledged yet, on disk: three lanes that share a limit. Where room is short, the less important ones give way.</summary>
internal sealed class SpoolDirectory : IDisposable
{
    private const string Folder = "spool";

    // Whatever the share: what is in flight fits in here.
    private const long LeastRoom = 256 << 10;

    private const long LongestSegment = 1 << 20;
    private const long ShortestSegment = 64 << 10;

    // As many metrics as an hour has at the usual interval.
    private const int HealthInMemory = 360;

    private readonly string _path;
    private readonly SpoolOptions _options;

    /// <param name="stateDirectory">Exists, or is made as soon as that works.</param>
    public SpoolDirectory(string stateDirectory, SpoolOptions options, TimeProvider clock, ILogger<SpoolDirectory> log)
    {
        _path = Path.Combine(stateDirectory, Folder);
        _options = options;
        Health = new SpoolLane(this, Path.Combine(_path, "health"), HealthInMemory, clock, log);
        Checks = new SpoolLane(this, Path.Combine(_path, "checks"), int.MaxValue, clock, log);
        Changes = new SpoolLane(this, Path.Combine(_path, "changes"), int.MaxValue, clock, log);
    }

    /// <summary>Who made which change.</summary>
    public SpoolLane Changes { get; }

    /// <summary>States of checks.</summary>
    public SpoolLane Checks { get; }

    /// <summary>Metrics.</summary>
    public SpoolLane Health { get; }

    /// <summary>One for all lanes: each may have to make room for another.</summary>
    internal Lock Gate { get; } = new();

    internal long SegmentLength => Math.Clamp(Limit() / 16, ShortestSegment, LongestSegment);

    /// <summary>Bytes that are too many when a lane takes so many more, after those gave way that have to.</summary>
    internal long MakeRoom(SpoolLane taker, long bytes)
    {
        var excess = Used + bytes - Limit();
        if (excess > 0 && taker != Health)
            excess -= Health.GiveWay(excess);
        return excess > 0 && taker == Changes ? excess - Checks.GiveWay(excess) : excess;
    }

    public IReadOnlyList<SpoolLaneStatus> Status() => [Changes.Status(), Checks.Status(), Health.Status()];

    public void Dispose()
    {
        Changes.Dispose();
        Checks.Dispose();
        Health.Dispose();
    }

    private long Used => Changes.Bytes + Checks.Bytes + Health.Bytes;

    private long Limit()
    {
        try
        {
            var free = new DriveInfo(_path).AvailableFreeSpace;
            return Math.Min(_options.Bytes, Math.Max(LeastRoom, (long)((free + Used) * _options.FreeShare)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is not there yet, or any more; what can't be written shows when it is.
            return _options.Bytes;
        }
    }
}
