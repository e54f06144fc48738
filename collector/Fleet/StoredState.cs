using Telemetry.Collector.Baselines;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>A state that is in the store, by the name people give it: an instance, an instance at a time, or a baseline.</summary>
internal sealed record StoredState(Roots Roots, Coverage Coverage)
{
    /// <param name="name"><c>INSTANCE</c>, <c>INSTANCE@TIME</c> with a time as in RFC 3339 (without a zone: UTC), or <c>NAME:VERSION</c>.</param>
    /// <exception cref="UnknownStateException">There is none of that name.</exception>
    public static StoredState Find(StoreTransaction transaction, string name)
    {
        if (name.Split('@', 2) is [var id, var time])
            return At(transaction, id, time);

        if (VersionName.TryParse(name) is { } baselineName)
        {
            return transaction.Baselines.Find(baselineName) is { } baseline
                ? new StoredState(baseline.Roots, baseline.Coverage)
                : throw new UnknownStateException($"There is no baseline '{name}'; 'telemetryctl baselines list' shows those there are.");
        }

        if (InstanceName.TryFind(transaction, name) is not { } instance)
            throw new UnknownStateException($"'{name}' is neither an instance, INSTANCE@TIME, a baseline ({VersionName.Form}) nor layers on one ({LayerStack.Form}); 'telemetryctl instances list' shows the instances.");

        return transaction.Heads.Newest(instance.Id) is { } head
            ? new StoredState(head.Roots, head.Coverage)
            : throw new UnknownStateException($"Instance '{name}' has not reported a complete state yet; try again shortly.");
    }

    private static StoredState At(StoreTransaction transaction, string id, string text)
    {
        if (!Moment.TryParse(text, out var time))
            throw new UnknownStateException($"'{text}' is no time; write it as in {id}@{Moment.Example}.");
        return transaction.Heads.Backwards(InstanceName.Find(transaction, id).Id, time).FirstOrDefault() is { } head
            ? new StoredState(head.Roots, head.Coverage)
            : throw new UnknownStateException($"No state of instance '{id}' is kept from {text} or before; 'telemetryctl instances history {id}' shows those that are.");
    }
}

/// <summary>No state has the name that was given; the message says what to do.</summary>
internal sealed class UnknownStateException(string message) : Exception(message);
