using Telemetry.Collector.Causes;
using Telemetry.Collector.Storage;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Deviations;

/// <summary>Makes messages of deviations with the names of what they refer to. Many refer to the same: each is read once.</summary>
internal sealed class DeviationMessages(StoreTransaction transaction)
{
    private readonly Dictionary<long, string> _baselines = [];
    private readonly Dictionary<long, Cause?> _causes = [];
    private readonly Dictionary<long, Actor> _actors = [];

    public V1.Deviation Of(Deviation deviation) =>
        deviation.ToMessage(
            Known(_baselines, deviation.BaselineId, transaction.Baselines.NameOf),
            deviation.CauseId is { } causeId ? Known(_causes, causeId, transaction.Causes.Find) : null,
            deviation.ActorId is { } actorId ? Known(_actors, actorId, transaction.Actors.Get) : null);

    private static T Known<T>(Dictionary<long, T> known, long id, Func<long, T> read)
    {
        if (!known.TryGetValue(id, out var item))
            known[id] = item = read(id);
        return item;
    }
}
