using Google.Protobuf.WellKnownTypes;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Records how much each judged instance drifts, as measurement <c>drift</c>: open deviations, in all and by severity.</summary>
internal sealed class DriftSampler(StateStore store, PointQueue queue, TimeProvider time, ILogger<DriftSampler> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    protected override Task ExecuteAsync(CancellationToken stopping) =>
        StoreFailures.OutliveAsync(SampleAllAsync, time, logger, stopping);

    private async Task SampleAllAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            queue.Add(Sample());
        }
        while (await timer.WaitForNextTickAsync(stopping));
    }

    private List<V1.Point> Sample()
    {
        var now = time.GetUtcNow();
        var rounded = Timestamp.FromDateTimeOffset(now.AddTicks(-(now.Ticks % Interval.Ticks)));
        return store.Read(transaction =>
        {
            var counts = transaction.Deviations.OpenBySeverity();
            return transaction.Instances.All()
                .Where(instance => instance.JudgedId is not null)
                .Select(instance =>
                {
                    var point = new V1.Point { Measurement = "drift", Time = rounded };
                    point.Tags.Add("host", instance.Name);
                    point.Tags.Add("instance", instance.Id);
                    var bySeverity = counts[instance.Id].ToDictionary(count => count.Severity, count => count.Count);
                    point.Fields.Add(new V1.Field { Name = "open", IntValue = bySeverity.Values.Sum() });
                    foreach (var severity in System.Enum.GetValues<Severity>())
                    {
                        var name = severity.ToString().ToLowerInvariant();
                        point.Fields.Add(new V1.Field { Name = name, IntValue = bySeverity.GetValueOrDefault(severity) });
                    }

                    return point;
                })
                .ToList();
        });
    }
}
