using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;

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
