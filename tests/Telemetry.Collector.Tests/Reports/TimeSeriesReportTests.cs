using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Reports;
using Telemetry.Collector.TimeSeries;
using Telemetry.Collector.TimeSeries.Embedded;

namespace Telemetry.Collector.Tests.Reports;

public sealed class TimeSeriesReportTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Report_WhereSeriesAreRefused_SaysWhoseAndHowManyPoints()
    {
        var guard = new SeriesGuard(new SeriesLimits(All: 50, PerMeasurement: 50, PerInstance: 2), _collector.Time, NullLogger<SeriesGuard>.Instance);
        using var store = EmbeddedStore.Open(_collector.DataDirectory, new EmbeddedOptions(), _collector.Time, NullLogger<EmbeddedStore>.Instance, guard);
        for (var i = 0; i < 5; i++)
            guard.Admits(System.Text.Encoding.UTF8.GetBytes($"net,interface=veth{i}"), "i-1");
        guard.Admits("net,interface=eth0"u8, "i-2");

        var status = TimeSeriesView.Of(
            new TimeSeriesReport(_collector.Store, new TimeSeriesBoard(_collector.Time), new SetAsideFile(_collector.DataDirectory, _collector.Time), store, guard).Get());

        Assert.Equal((3ul, 50ul, 3ul), (status.Series, status.MaxSeries, status.RefusedPoints));
        var refusal = Assert.Single(status.Refusals);
        Assert.Equal(("i-1", 3ul, "too many series", "net,interface=veth2"), (refusal.Instance, refusal.Points, refusal.Reason, refusal.Example));
    }
}
