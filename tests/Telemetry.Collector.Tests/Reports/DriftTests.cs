using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Telemetry.Collector.Policies;
using Telemetry.Collector.Reports;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.Reports;

/// <summary>The drift of an instance, from what happened to its deviations.</summary>
public sealed class DriftTests : IDisposable
{
    private readonly Collector _collector = new();
    private readonly CertifiedInstance _instance;

    public DriftTests() => _instance = new CertifiedInstance(_collector);

    public void Dispose() => _collector.Dispose();

    [Fact]
    public async Task Drift_OfWhatOpenedAndClosed_IsWhatWasOpenAtEachStep()
    {
        new CertifiedInstance(_collector, "i-2").Tamper();
        Advance(10);
        _instance.Tree["/srv/tool"] = Some.File("program", mode: 0b111_101_101);
        _instance.Tamper();
        Advance(10);
        _instance.Heal();
        Advance(10);
        _instance.Tree.Remove("/srv/tool");
        _instance.Report();
        Advance(10);

        var points = await Drift("i-1", TimeSpan.FromMinutes(5));

        Assert.Equal([0, 0, 1, 1, 1, 1, 0, 0, 0], points.Select(point => (int)point.High));
        Assert.Equal([0, 0, 1, 1, 0, 0, 0, 0, 0], points.Select(point => (int)point.Medium));
        Assert.Equal(Some.Time, points[0].At.ToDateTimeOffset());
        Assert.Equal(_collector.Time.GetUtcNow(), points[^1].At.ToDateTimeOffset());
    }

    [Fact]
    public async Task Drift_OfATimeBeforeItAll_DoesNotClaimThatNothingWasOpen()
    {
        Assert.Empty(await Drift("i-1", TimeSpan.FromMinutes(5), Some.Time.AddDays(-2), Some.Time.AddDays(-1)));
        Assert.Single(await Drift("i-1", TimeSpan.FromDays(1), Some.Time.AddDays(-100), Some.Time.AddDays(100)));
    }

    [Fact]
    public async Task Drift_OfNobody_OrInTooManyPoints_IsRefused()
    {
        await Assert.ThrowsAsync<UnknownInstanceException>(() => Drift("i-none", TimeSpan.FromMinutes(5)));
        Advance(10_000);

        var refused = await Assert.ThrowsAsync<RpcException>(() => Drift("i-1", TimeSpan.FromMinutes(1)));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        await Assert.ThrowsAsync<RpcException>(() => Drift("i-1", TimeSpan.Zero));
        Assert.InRange((await Drift("i-1", null)).Count, 20, 50);
    }

    [Fact]
    public async Task Time_ThatEndsBeforeItBegins_IsRefused()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => Drift("i-1", null, Some.Time.AddHours(1), Some.Time));

        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Equal("The time asked for ends at 2026-03-03 10:00:00Z, before it begins at 2026-03-03 11:00:00Z; set --since to an earlier time, or --until to a later one.", refused.Status.Detail);
    }

    private void Advance(int minutes) => _collector.Time.Advance(TimeSpan.FromMinutes(minutes));

    private async Task<IReadOnlyList<DriftPoint>> Drift(string id, TimeSpan? step, DateTimeOffset? from = null, DateTimeOffset? to = null)
    {
        var request = new ListDriftRequest
        {
            InstanceId = id,
            From = ManifestMapping.ToTimestamp(from ?? Some.Time),
            To = ManifestMapping.ToTimestamp(to ?? _collector.Time.GetUtcNow()),
            Step = step is { } some ? Duration.FromTimeSpan(some) : null,
        };
        var unconfigured = new TimeSeriesReport(_collector.Store, new TimeSeriesBoard(_collector.Time), new SetAsideFile(_collector.DataDirectory, _collector.Time));
        return (await new ReportGrpcService(_collector.Store, _collector.Agents, unconfigured, new NoSeriesReader("none is kept"), _collector.Time).ListDrift(request, null!)).Points;
    }
}
