using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Where health points go. One that was added is stored durably.</summary>
internal interface IPointSink
{
    /// <summary>False when no time-series store is configured: agents are told to sample no metrics.</summary>
    bool IsWanted { get; }

    /// <summary>The last position of an instance's health lane that was added.</summary>
    HeadPosition Watermark(string instanceId);

    /// <exception cref="BadMessageException">What no agent delivers.</exception>
    Task AddAsync(PointDelivery delivery);
}

/// <summary>No time-series store is configured. When an instance sampled while nobody could be told is kept all the same: it was up then.</summary>
internal sealed class NoPointSink(StateStore store) : IPointSink
{
    public bool IsWanted => false;

    public HeadPosition Watermark(string instanceId) => default;

    /// <summary>Points that nobody asked for are acknowledged and forgotten: an agent of another version may send them all the same.</summary>
    public Task AddAsync(PointDelivery delivery) => delivery.LateSampleAt is { } at
        ? store.WriteAsync(transaction => transaction.Presence.Sampled(delivery.InstanceId, at, delivery.Sampling))
        : Task.CompletedTask;
}

/// <summary>Points that an instance brings, and what it says of those it brings not.</summary>
/// <param name="Names">Of the series that its stream has named so far.</param>
internal sealed record PointDelivery(string InstanceId, HeadPosition Position, V1.HealthBatch Batch, SeriesNames Names)
{
    /// <summary>The agent's clock; null: it says nothing of its points' time.</summary>
    public DateTimeOffset? SampledAt { get; init; }

    /// <summary>How often the instance samples.</summary>
    public TimeSpan Sampling { get; init; }

    /// <summary>When they were sampled, by the collector's clock, if the instance was not connected then; else null.</summary>
    public DateTimeOffset? LateSampleAt { get; init; }
}
