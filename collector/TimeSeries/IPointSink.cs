using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Where health points go. One that was added is stored durably.</summary>
internal interface IPointSink
{
    /// <summary>False when no time-series store is configured: agents are told to sample nothing.</summary>
    bool IsWanted { get; }

    /// <summary>The last position of an instance's health lane that was added.</summary>
    HeadPosition Watermark(string instanceId);

    /// <summary>Takes in a delivery as it is now, whatever its stream names later.</summary>
    /// <returns>What there is to be done when it is added.</returns>
    /// <exception cref="BadMessageException">What no agent delivers.</exception>
    Action<StoreTransaction> Prepare(PointDelivery delivery);

    /// <summary>Adds deliveries of one instance, in their order: all of them, or none.</summary>
    Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries);
}

/// <summary>No time-series store is configured.</summary>
internal sealed class NoPointSink : IPointSink
{
    public bool IsWanted => false;

    public HeadPosition Watermark(string instanceId) => default;

    /// <summary>What nobody asked for is acknowledged and forgotten: an agent of another version may send it all the same.</summary>
    public Action<StoreTransaction> Prepare(PointDelivery delivery) => static _ => { };

    public Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries) => Task.CompletedTask;
}

/// <summary>Points that an instance brings, and what it says of those it brings not.</summary>
/// <param name="Names">Of the series that its stream has named so far.</param>
internal sealed record PointDelivery(string InstanceId, HeadPosition Position, V1.HealthBatch Batch, SeriesNames Names)
{
    /// <summary>The agent's clock; null: it says nothing of its points' time.</summary>
    public DateTimeOffset? SampledAt { get; init; }

    /// <summary>When they were sampled, by the collector's clock, if the instance was not connected then; else null.</summary>
    public DateTimeOffset? LateSampleAt { get; init; }
}
