using System.Text;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Keeps points on disk until the time-series server has them.</summary>
internal sealed class PointQueue(StateStore store) : IPointSink
{
    private const int MaxPoints = 5_000;

    private volatile TaskCompletionSource _added = NewSignal();

    public bool IsWanted => true;

    /// <summary>Completes when points are added after it was read.</summary>
    public Task Added => _added.Task;

    public HeadPosition Watermark(string instanceId) => store.Read(transaction => transaction.Points.Watermark(instanceId));

    public async Task AddAsync(string instanceId, HeadPosition position, IReadOnlyList<V1.Point> points)
    {
        if (points.Count > MaxPoints)
            throw new BadMessageException($"{points.Count} points in one batch, {MaxPoints} is the limit");

        var (lines, count) = Encode(points);
        await store.WriteAsync(transaction =>
        {
            transaction.Points.SetWatermark(instanceId, position);
            if (count > 0)
                transaction.Points.Add(lines, count);
        });
        Wake();
    }

    /// <summary>Adds the collector's own points.</summary>
    public void Add(IReadOnlyList<V1.Point> points)
    {
        var (lines, count) = Encode(points);
        if (count == 0)
            return;

        store.Write(transaction => transaction.Points.Add(lines, count));
        Wake();
    }

    private static (byte[] Lines, int Count) Encode(IReadOnlyList<V1.Point> points)
    {
        var text = new StringBuilder();
        var count = points.Count(point => LineProtocol.Append(text, point));
        return (Encoding.UTF8.GetBytes(text.ToString()), count);
    }

    private void Wake() => Interlocked.Exchange(ref _added, NewSignal()).SetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
