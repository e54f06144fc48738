using Telemetry.Agent.Health;
using Telemetry.Agent.Manifest;
using Telemetry.Agent.Scan;
using Telemetry.Agent.Spool;
using Telemetry.Agent.Watch;

namespace Telemetry.Agent.StatusReports;

/// <summary>Asks the agent's parts for the figures that are metrics.</summary>
internal sealed class AgentSelf(
    StateStore store, ScanPlan plan, SpoolDirectory spool, WatchCounters watch, LossLog losses, HealthQueue health, TimeProvider clock)
{
    // Counting looks at every leaf: some tens of milliseconds, where there are many.
    private static readonly TimeSpan CountAgainAfter = TimeSpan.FromMinutes(5);

    private long? _entries;
    private long _countedGeneration = -1, _countedAt;

    public AgentFigures Read()
    {
        var head = store.Ledger.Head;
        var lanes = spool.Status();
        return new AgentFigures(
            Entries(head),
            watch.Events,
            watch.Overflows,
            losses.Current.Count,
            plan.Watched.All.Length,
            head?.Coverage.Gaps.Length ?? 0,
            lanes.Sum(lane => lane.Records),
            lanes.Sum(lane => lane.Bytes),
            lanes.Sum(lane => lane.Dropped + lane.Damaged),
            health.AckLatency,
            Environment.CpuUsage.TotalTime);
    }

    /// <summary>As they were counted last: a change or two are no news for a graph.</summary>
    private long? Entries(LocalHead? head)
    {
        if (head is null)
            return null;
        if (head.Generation == _countedGeneration || (_entries is not null && clock.GetElapsedTime(_countedAt) < CountAgainAfter))
            return _entries;
        _entries = store.CountEntries()?.Values.Sum();
        (_countedGeneration, _countedAt) = (head.Generation, clock.GetTimestamp());
        return _entries;
    }
}
