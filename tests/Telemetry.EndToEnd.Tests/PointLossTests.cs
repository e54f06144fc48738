using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Real time-series servers that fail while points are written: every good point is there once, every bad one set aside with its reason.</summary>
public sealed class PointLossTests : IAsyncDisposable
{
    private readonly Influxd _influxd = new();
    private readonly VictoriaMetrics _victoria = new();
    private Installation? _installation;
    private PointLoss? _load;
    private bool _isMounted;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_load is not null)
            await _load.DisposeAsync();
        if (_installation is not null)
            await _installation.DisposeAsync();
        if (_isMounted)
        {
            await _influxd.Kill();
            Shell.Run("/", $"umount '{_influxd.Folder}'");
        }

        await _influxd.DisposeAsync();
        await _victoria.DisposeAsync();
    }

    [Fact]
    public async Task Influxd_KilledWhileItIsWrittenTo_HasEveryGoodPointAfterwards()
    {
        await StartInfluxd();
        var load = await StartLoad(_influxd.Url, Points);
        var loading = load.Deliver(30);
        await Eventually.Get(async () => await Points() > 1_000 ? "some" : null, "points on their way", Cancellation);

        await _influxd.Kill();
        await loading;
        await load.Deliver(10);
        await load.Becomes("waiting");
        await _influxd.Start();

        await load.NothingIsLost(Points);
        await load.Becomes("working");
    }

    [Fact]
    public async Task Influxd_WhoseDatabaseIsDropped_GetsItAgainAndEveryPointFromThenOn()
    {
        await StartInfluxd();
        var load = await StartLoad(_influxd.Url, Points);
        var dropped = await Points();

        await _influxd.Execute("DROP DATABASE telemetry");
        await load.DeliverGood(Points);
        await load.Deliver(20);

        await load.NothingIsLost(async () => await Points() + dropped);
    }

    [Fact]
    public async Task Influxd_WhoseDiskFills_HasEveryGoodPointWhenThereIsRoom()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting needs root");
        Shell.Run("/", $"mount -t tmpfs -o size=32m tmpfs '{_influxd.Folder}'");
        _isMounted = true;
        await StartInfluxd();
        var load = await StartLoad(_influxd.Url, Points);
        await load.Deliver(5);
        Shell.Run(_influxd.Folder, "cat /dev/zero > filling 2> /dev/null || true");
        await load.Deliver(15);
        await load.Becomes("waiting");

        // Until it is started anew it fails on: the writer of its log does not forget the error.
        File.Delete(Path.Combine(_influxd.Folder, "filling"));
        await _influxd.Kill();
        await _influxd.Start();

        await load.NothingIsLost(Points);
    }

    [Fact]
    public async Task VictoriaMetrics_ThatIsAwayForAWhile_HasEveryGoodPointAfterwards()
    {
        Assert.SkipUnless(VictoriaMetrics.IsInstalled, "victoria-metrics is not installed; tests/run.sh installs it");
        await _victoria.Start();
        var load = await StartLoad(_victoria.Url, Samples);
        var loading = load.Deliver(20);

        await _victoria.Stop();
        await loading;
        await load.Deliver(10);
        await load.Becomes("waiting");
        await _victoria.Start();

        await load.NothingIsLost(Samples);
        Assert.Contains("VictoriaMetrics", (await load.Status()).GetProperty("store").GetString(), StringComparison.Ordinal);
    }

    /// <summary>What it is and what a test found is told, and so is why it takes nothing, while it is away.</summary>
    [Fact]
    public async Task Verdict_OfTheSelfTest_IsShownAlsoWhileTheServerIsAway()
    {
        await StartInfluxd();
        var load = await StartLoad(_influxd.Url, Points);
        await load.Becomes("working");

        var status = await load.Status();
        var checks = status.GetProperty("checks").EnumerateArray().Select(check => $"{check.GetProperty("name").GetString()} {check.GetProperty("outcome").GetString()}");
        Assert.Equal(["reach passed", "version passed", "write passed", "read passed"], checks.Where(check => check != "create passed"));
        Assert.StartsWith("1.", status.GetProperty("version").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("takes points and gives them back", status.GetProperty("words").GetString(), StringComparison.Ordinal);

        await _influxd.Kill();
        await load.Deliver(1);
        await load.Becomes("waiting");

        // What it had connected before ends in other words.
        await Eventually.True(
            async () => (status = await load.Status()).GetProperty("words").GetString()!.Contains("refused", StringComparison.Ordinal)
                && status.GetProperty("waiting_points").GetInt64() > 0,
            "why it takes nothing", Cancellation, () => status.ToString());
    }

    private async Task StartInfluxd()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        await _influxd.Start();
    }

    private async Task<PointLoss> StartLoad(string url, Func<Task<long>> count)
    {
        _installation = new Installation(collectorSettings: $"""
            [timeseries]
            kind = "influxdb"
            url = "{url}"
            """);
        await _installation.StartCollector();
        _load = new PointLoss(_installation);
        await _load.Connect();
        await _load.DeliverGood(count);
        return _load;
    }

    private Task<long> Points() => _influxd.CountOf("load", "x");

    private async Task<long> Samples() => (await _victoria.Samples("load_x")).Count;
}
