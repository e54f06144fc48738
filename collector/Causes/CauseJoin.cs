using Telemetry.Collector.Deviations;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Causes;

/// <summary>Puts deviations of one instance under the causes their change records name.</summary>
/// <remarks>One process or transaction makes thousands of changes: what was read once is kept while this lives.</remarks>
/// <param name="line">Of the baseline that judges the instance.</param>
internal sealed class CauseJoin(StoreTransaction transaction, string instanceId, string line)
{
    private readonly Dictionary<long, Actor> _actors = [];
    private readonly Dictionary<long, PackageTransaction> _transactions = [];
    private readonly Dictionary<Digest, Cause> _causes = [];

    /// <param name="record">Of the change that made the deviation; null: none is known.</param>
    /// <param name="explained">With its actor in any case.</param>
    /// <returns>False: the record explains nothing, and the deviation has no cause.</returns>
    public bool TryExplain(Deviation deviation, StoredChange? record, out Deviation explained)
    {
        explained = deviation;
        if (record is null)
            return false;

        var actor = record.ActorId is { } actorId ? Known(_actors, actorId, transaction.Actors.Get) : null;
        var packages = record.TransactionId is { } id ? Known(_transactions, id, transaction.PackageTransactions.Get) : null;
        explained = deviation with { ActorId = record.ActorId, Membership = record.Membership };
        if (CauseIdentity.Of(actor, packages, record.Membership, instanceId, line, record.ObservedAt) is not { } identity)
            return false;

        explained = explained with { CauseId = CauseOf(identity).Id };
        return true;
    }

    private Cause CauseOf(CauseIdentity identity)
    {
        if (_causes.TryGetValue(identity.Key, out var known) && identity.At >= known.BeganAt
            && (identity.Window is not { } window || identity.At - known.BeganAt <= window))
            return known;

        return _causes[identity.Key] = transaction.Causes.Join(identity);
    }

    private static T Known<T>(Dictionary<long, T> known, long id, Func<long, T> read)
    {
        if (!known.TryGetValue(id, out var item))
            known[id] = item = read(id);
        return item;
    }
}
