using Telemetry.Collector.Baselines;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Fleet;

/// <summary>A state that is in the store, by the name people give it: an instance, an instance at a time, or a baseline.</summary>
internal sealed record StoredState(Roots Roots, Coverage Coverage)
{
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    /// <param name="name"><c>INSTANCE</c>, <c>INSTANCE@TIME</c> with a time as in RFC 3339 (without a zone: UTC), or <c>NAME:VERSION</c>.</param>
    /// <param name="now">The collector's clock.</param>
    /// <exception cref="UnknownStateException">There is none of that name.</exception>
    public static StoredState Find(StoreTransaction transaction, string name, DateTimeOffset now)
    {
        if (name.Split('@', 2) is [var id, var time])
            return At(transaction, id, time, now);

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

    private static StoredState At(StoreTransaction transaction, string id, string text, DateTimeOffset now)
    {
        if (!Moment.TryParse(text, out var time))
            throw new UnknownStateException($"'{text}' is no time; write it as in {id}@{Moment.Example}.") { IsWrongQuestion = true };

        // By whichever clock is ahead: states are dated by the instance's, and who asks for now has one of his own.
        var instanceId = InstanceName.Find(transaction, id).Id;
        var latest = transaction.Heads.Newest(instanceId) is { } newest && newest.ObservedAt > now ? newest.ObservedAt : now;
        if (time > latest + ClockTolerance)
            throw new UnknownStateException($"{text} is in the future: what '{id}' will be is not known; '{id}' alone is what it is now.") { IsWrongQuestion = true };

        return transaction.Heads.Backwards(instanceId, time).FirstOrDefault() is { } head
            ? new StoredState(head.Roots, head.Coverage)
            : throw new UnknownStateException($"No state of instance '{id}' is kept from {text} or before; 'telemetryctl instances history {id}' shows those that are.");
    }
}

/// <summary>No state has the name that was given; the message says what to do.</summary>
internal sealed class UnknownStateException(string message) : Exception(message)
{
    /// <summary>There can be none: what was given is no name of a state.</summary>
    public bool IsWrongQuestion { get; init; }
}
