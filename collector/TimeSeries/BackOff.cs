namespace Telemetry.Collector.TimeSeries;

/// <summary>How long a store that took nothing is left alone.</summary>
internal static class BackOff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <param name="failures">In a row, with this one.</param>
    /// <param name="random">From 0 to 1: many collectors of one store do not come back at once.</param>
    public static TimeSpan Delay(WriteDecision decision, int failures, double random)
    {
        // A person is needed: nothing is won by asking sooner.
        var delay = decision.Action is WriteAction.NotAllowed or WriteAction.Misconfigured || failures > 6 ? Longest : First * (1 << (failures - 1));
        var jittered = (delay < Longest ? delay : Longest) * (0.75 + (random / 2));
        return decision.RetryAfter is { } asked && asked > jittered ? asked * (1 + (random / 4)) : jittered;
    }
}
