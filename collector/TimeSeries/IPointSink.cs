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

    Task AddAsync(string instanceId, HeadPosition position, IReadOnlyList<V1.Point> points);
}

/// <summary>No time-series store is configured.</summary>
internal sealed class NoPointSink : IPointSink
{
    public bool IsWanted => false;

    public HeadPosition Watermark(string instanceId) => default;

    /// <summary>What nobody asked for is acknowledged and forgotten: an agent of another version may send it all the same.</summary>
    public Task AddAsync(string instanceId, HeadPosition position, IReadOnlyList<V1.Point> points) => Task.CompletedTask;
}
