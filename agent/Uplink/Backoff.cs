namespace Telemetry.Agent.Uplink;

/// <summary>How long to wait before the next try.</summary>
internal static class Backoff
{
    // A collector that restarts is found within about two seconds; one that stays away is not hammered.
    private const int QuickTries = 10;

    private static readonly TimeSpan Quick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(60);

    /// <param name="failures">In a row, from 1.</param>
    /// <param name="jitter">From 0 to 1. Applied after the cap, or all would come together in the end.</param>
    public static TimeSpan Delay(int failures, double jitter)
    {
        var doublings = Math.Clamp(failures - QuickTries, 0, 10);
        var delay = Quick * (1 << doublings);
        return (delay < Cap ? delay : Cap) * (0.5 + jitter);
    }
}
