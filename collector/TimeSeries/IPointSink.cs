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

    /// <exception cref="BadMessageException">What no agent delivers.</exception>
    Task AddAsync(PointDelivery delivery);
}

/// <summary>No time-series store is configured.</summary>
internal sealed class NoPointSink : IPointSink
{
    public bool IsWanted => false;

    public HeadPosition Watermark(string instanceId) => default;

    /// <summary>What nobody asked for is acknowledged and forgotten: an agent of another version may send it all the same.</summary>
    public Task AddAsync(PointDelivery delivery) => Task.CompletedTask;
}

/// <summary>Points that an instance brings, and what it says of those it brings not.</summary>
internal sealed record PointDelivery(string InstanceId, HeadPosition Position, IReadOnlyList<V1.Point> Points, IReadOnlyList<V1.Loss> Losses)
{
    /// <summary>Points of its epoch and of the hour of these so far; 0: not counted.</summary>
    public ulong Collected { get; init; }

    /// <summary>The agent's clock; null: it says nothing of its points' time.</summary>
    public DateTimeOffset? SampledAt { get; init; }

    /// <summary>When they were sampled, by the collector's clock, if the instance was not connected then; else null.</summary>
    public DateTimeOffset? LateSampleAt { get; init; }
}
