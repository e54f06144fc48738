namespace Telemetry.Agent.Scan;

/// <summary>How often: <c>[scan]</c>.</summary>
internal sealed record ScanOptions
{
    /// <summary>From the end of one scan to the begin of the next. A scan of what did not change reads no content.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
}
