using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Benchmarks;

/// <summary>One decision about many instances.</summary>
internal sealed partial class StoredFleet
{
    /// <summary>Acknowledges what all instances of a line became by one upgrade, then approves it, each as one decision.</summary>
    /// <returns>For how many milliseconds a write of somebody else had to wait at most, and in how many seconds all were approved and judged anew.</returns>
    public async Task<(double AcknowledgeWait, double ApproveSeconds, double ApproveWait)> Decide(int instances, int changed)
    {
        var roots = await StoreTree(changes: 0);
        var upgraded = await StoreTree(changed);
        var (pipeline, registry) = Stages();
        registry.Create(VersionName.TryParse("upgraded:1")!, Baseline.DefaultOwner, new ManifestHead(roots, Coverage, TimeProvider.System.GetUtcNow(), "benchmark"));
        registry.Bind(new Binding(Selector.Tag, "role=web", "upgraded"));
        for (var i = 0; i < instances; i++)
            await Report(pipeline, 1_000_000 + i, upgraded);
        var open = _store.Read(transaction => transaction.Deviations.Page(new DeviationFilter(State: DeviationState.Open), long.MaxValue, instances * changed).Select(deviation => deviation.Id).ToList());

        var decisions = new DecisionRegistry(_store, _policies, _seals, pipeline, new DeviationFeed(_store), TimeProvider.System);
        var scope = new DecisionScope(open);
        var (_, _, acknowledgeWait) = await Measured(() => decisions.Acknowledge(scope, "benchmark", "seen"));
        var (approved, seconds, approveWait) = await Measured(() => decisions.Approve(scope, VersionName.TryParse("hotfix:1")!, null, "benchmark", "one upgrade"));
        return approved.Deviations == instances * changed
            ? (acknowledgeWait, seconds, approveWait)
            : throw new InvalidOperationException($"{approved.Deviations} were approved, {instances} instances have {changed} each");
    }

    /// <summary>Does something while somebody else writes all the time.</summary>
    private async Task<(T Result, double Seconds, double LongestWait)> Measured<T>(Func<T> work)
    {
        var begun = TimeProvider.System.GetTimestamp();
        var running = Task.Run(work);
        var longest = TimeSpan.Zero;
        while (!running.IsCompleted)
        {
            var asked = TimeProvider.System.GetTimestamp();
            await _store.WriteAsync(static _ => { });
            var waited = TimeProvider.System.GetElapsedTime(asked);
            longest = waited > longest ? waited : longest;
        }

        return (await running, TimeProvider.System.GetElapsedTime(begun).TotalSeconds, longest.TotalMilliseconds);
    }
}
