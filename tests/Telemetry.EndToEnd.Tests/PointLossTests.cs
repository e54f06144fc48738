using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Real time-series servers that fail while points are written: every good point is there once, every bad one set aside with its reason.</summary>
public sealed class PointLossTests : IAsyncDisposable
{
    private const string NotANumber = "field type conflict";
    private const string NoNumber = "VictoriaMetrics keeps no texts";

    private readonly Influxd _influxd = new();
    private readonly VictoriaMetrics _victoria = new() { LeastFreeBytes = 20_000_000 };
    private Installation? _installation;
    private PointLoss? _load;
    private SmallDisk? _disk;

    public async ValueTask DisposeAsync()
    {
        if (_load is not null)
            await _load.DisposeAsync();
        if (_installation is not null)
            await _installation.DisposeAsync();
        await _influxd.Kill();
        await _victoria.Kill();
        _disk?.Dispose();
        await _influxd.DisposeAsync();
        await _victoria.DisposeAsync();
    }

    [Fact]
    public async Task Influxd_KilledAgainAndAgainWhileItIsWrittenTo_HasEveryGoodPointAfterwards()
    {
        var load = await LoadInfluxd();
        var isEnough = false;
        var loading = load.DeliverUntil(() => Volatile.Read(ref isEnough));
        for (var kills = 0; kills < 3; kills++)
        {
            await load.More(PointLoss.PointsOfABatch);
            await _influxd.Kill();
            await load.Waits(bytes: 20 * PointLoss.PointsOfABatch);
            await _influxd.Start();
        }

        await load.More(PointLoss.PointsOfABatch);
        Volatile.Write(ref isEnough, true);
        await loading;

        await load.NothingIsLost();
        await load.Becomes("working");
    }

    /// <summary>More than it may have in memory waits, and goes when it can. That is half a gigabyte.</summary>
    [Fact]
    [Trait("Category", "Long")]
    public async Task Influxd_AwayWhileMuchComes_HasEveryGoodPointAndTheCollectorIsNoLarger()
    {
        var load = await LoadInfluxd(text: new string('x', 4_000));
        await _influxd.Kill();
        await load.Deliver(160);
        Assert.True(load.Bytes > 1.5 * PointLoss.MostMemory * 1_000_000);
        await load.Waits(load.Bytes);

        await _influxd.Start();

        await load.NothingIsLost();
    }

    [Fact]
    public async Task Influxd_WhoseDatabaseIsDropped_GetsItAgainAndEveryPointFromThenOn()
    {
        var load = await LoadInfluxd();

        await load.LoseWhatIsThere(() => _influxd.Execute("DROP DATABASE telemetry"));
        await load.DeliverGood();
        await load.Deliver(20);

        await load.NothingIsLost();
    }

    [Fact]
    public async Task Influxd_WhoseDiskFills_HasEveryGoodPointWhenThereIsRoom()
    {
        _disk = NewDisk(_influxd.Folder, mebibytes: 32);
        var load = await LoadInfluxd();
        await load.Deliver(5);
        _disk.Fill();
        var isEnough = false;
        var loading = load.DeliverUntil(() => Volatile.Read(ref isEnough));
        await load.Waits(bytes: 20 * PointLoss.PointsOfABatch);

        // Until it is started anew it fails on: the writer of its log does not forget the error.
        _disk.Free();
        await _influxd.Kill();
        await _influxd.Start();
        await load.Becomes("working");
        Volatile.Write(ref isEnough, true);
        await loading;

        await load.NothingIsLost();
    }

    [Fact]
    public async Task VictoriaMetrics_StoppedAgainAndAgainWhileItIsWrittenTo_HasEveryGoodPointAfterwards()
    {
        var load = await LoadVictoria(text: "left out");
        var isEnough = false;
        var loading = load.DeliverUntil(() => Volatile.Read(ref isEnough));
        for (var stops = 0; stops < 2; stops++)
        {
            await load.More(PointLoss.PointsOfABatch);
            await _victoria.Stop();
            await load.Waits(bytes: 20 * PointLoss.PointsOfABatch);
            await _victoria.Start();
        }

        await load.More(PointLoss.PointsOfABatch);
        Volatile.Write(ref isEnough, true);
        await loading;

        await load.NothingIsLost();
        var status = await load.Becomes("working");
        Assert.StartsWith("VictoriaMetrics", status.GetProperty("store").GetString(), StringComparison.Ordinal);
        Assert.True(status.GetProperty("left_out_texts").GetInt64() > PointLoss.PointsOfABatch);
    }

    [Fact]
    public async Task VictoriaMetrics_WhoseDiskFills_HasEveryGoodPointWhenThereIsRoom()
    {
        _disk = NewDisk(_victoria.Folder, mebibytes: 64);
        var load = await LoadVictoria();
        await load.Deliver(5);
        _disk.Fill(but: 10);
        var isEnough = false;
        var loading = load.DeliverUntil(() => Volatile.Read(ref isEnough));
        await load.Waits(bytes: 20 * PointLoss.PointsOfABatch);
        Assert.Contains("read-only", (await load.Status()).GetProperty("words").GetString(), StringComparison.Ordinal);

        _disk.Free();
        await load.Becomes("working");
        Volatile.Write(ref isEnough, true);
        await loading;

        await load.NothingIsLost();
    }

    /// <summary>What it is and what a test found is told, and so is why it takes nothing, while it is away.</summary>
    [Fact]
    public async Task Verdict_OfTheSelfTest_IsShownAlsoWhileTheServerIsAway()
    {
        var load = await LoadInfluxd();
        var status = await load.Becomes("working");

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
            "why it takes nothing", TestContext.Current.CancellationToken, () => status.ToString());
    }

    private static SmallDisk NewDisk(string folder, int mebibytes)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting needs root");
        return new SmallDisk(folder, mebibytes);
    }

    private async Task<PointLoss> LoadInfluxd(string? text = null)
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        await _influxd.Start();
        await StartCollector(_influxd.Url);
        return await Begin(new PointLoss(_installation!, () => _influxd.CountOf("load", "x"), () => _influxd.PointsOf("load", "x")) { Reason = NotANumber, Text = text });
    }

    private async Task<PointLoss> LoadVictoria(string? text = null)
    {
        Assert.SkipUnless(VictoriaMetrics.IsInstalled, "victoria-metrics is not installed; tests/run.sh installs it");
        await _victoria.Start();
        await StartCollector(_victoria.Url);
        return await Begin(new PointLoss(_installation!, async () => (await _victoria.Samples("load_x")).Count, () => _victoria.Samples("load_x")) { Reason = NoNumber, Text = text });
    }

    private Task StartCollector(string url)
    {
        _installation = new Installation(collectorSettings: $"""
            [timeseries]
            kind = "influxdb"
            url = "{url}"
            """);
        return _installation.StartCollector();
    }

    private async Task<PointLoss> Begin(PointLoss load)
    {
        _load = load;
        await load.Begin();
        return load;
    }
}
