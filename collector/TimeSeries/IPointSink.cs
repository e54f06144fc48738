using Telemetry.Collector.Storage;
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

    /// <summary>Takes in a delivery as it is now, whatever its stream names later.</summary>
    /// <returns>What there is to be done when it is added.</returns>
    /// <exception cref="BadMessageException">What no agent delivers.</exception>
    Action<StoreTransaction> Prepare(PointDelivery delivery);

    /// <summary>Adds deliveries of one instance, in their order: all of them, or none.</summary>
    Task AddAsync(IReadOnlyList<Action<StoreTransaction>> deliveries);
}
