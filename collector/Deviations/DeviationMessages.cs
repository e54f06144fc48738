using Telemetry.Collector.Causes;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Deviations;

/// <summary>Makes messages of deviations with the names of what they refer to. Many refer to the same: each is read once.</summary>
internal sealed class DeviationMessages(StoreTransaction transaction)
{
    private readonly Dictionary<long, string> _baselines = [];
    private readonly Dictionary<long, Cause?> _causes = [];
    private readonly Dictionary<long, Actor> _actors = [];
    private readonly Dictionary<long, V1.Decision> _decisions = [];

    public V1.Deviation Of(Deviation deviation) =>
        deviation.ToMessage(
            Known(_baselines, deviation.BaselineId, transaction.Baselines.NameOf),
            deviation.CauseId is { } causeId ? Known(_causes, causeId, transaction.Causes.Find) : null,
            deviation.ActorId is { } actorId ? Known(_actors, actorId, transaction.Actors.Get) : null,
            deviation.DecisionId is { } decisionId ? Known(_decisions, decisionId, id => Of(transaction.Decisions.Get(id))) : null);

    public V1.Decision Of(Decision decision) => new()
    {
        Gives = (V1.DeviationState)decision.Gives,
        By = decision.By,
        Reason = decision.Reason,
        At = decision.At.ToTimestamp(),
        Until = decision.Until?.ToTimestamp(),
        Layer = decision.LayerId is { } layerId ? transaction.Layers.NameOf(layerId) : "",
        Baseline = decision.BaselineId is { } baselineId ? Known(_baselines, baselineId, transaction.Baselines.NameOf) : "",
    };

    private static T Known<T>(Dictionary<long, T> known, long id, Func<long, T> read)
    {
        if (!known.TryGetValue(id, out var item))
            known[id] = item = read(id);
        return item;
    }
}
