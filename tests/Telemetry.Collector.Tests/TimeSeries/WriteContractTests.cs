using Telemetry.Collector.TimeSeries;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>A real influxd.</summary>
public sealed class Influx1WriteTests : WriteContract
{
    private readonly Influxd _server = new();

    protected override string Kind => "InfluxDB 1.x";

    private protected override InfluxOptions Options => new(new Uri(_server.Url + "/"), "telemetry");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task RetentionPolicy_ThatIsNotThere_IsAMistakeOfTheConfigurationAndPointsWait()
    {
        await StartServer();
        await _server.Execute("CREATE DATABASE telemetry");
        await Add(10, i => Point("load", i));
        await using var writer = new RunningWriter(Collector, Queue, Options with { RetentionPolicy = "weekly" });

        await writer.Start();
        await Eventually.True(() => writer.Board.State.Trouble is not null, "the writer to notice", Cancellation);

        Assert.Equal(WriteAction.Misconfigured, writer.Board.State.Trouble!.Action);
        Assert.Contains("retention policy not found", writer.Board.State.Trouble.Words, StringComparison.Ordinal);
        Assert.Equal(10, Collector.Store.Read(transaction => transaction.Points.Waiting()).Lines);
    }

    [Fact]
    public async Task Password_InItsFile_LetsIn()
    {
        await StartServer();
        await _server.Execute("CREATE USER writer WITH PASSWORD 's e c r e t' WITH ALL PRIVILEGES");
        await StopServer();
        _server.WantsUsers = true;
        await StartServer();
        var password = Path.Combine(Collector.DataDirectory, "password");
        await File.WriteAllTextAsync(password, "wrong\n", Cancellation);
        await using var writer = new RunningWriter(Collector, Queue, Options with { UserName = "writer", PasswordFile = password });

        var refused = await writer.Store.TestAsync(Cancellation);
        await File.WriteAllTextAsync(password, "s e c r e t\n", Cancellation);
        var accepted = await writer.Store.TestAsync(Cancellation);

        Assert.Contains("no right to write into telemetry: 401", refused.Words, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", refused.ToString(), StringComparison.Ordinal);
        Assert.True(accepted.HasPassed, accepted.Words);
    }

    protected override Task StartServer()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        return _server.Start();
    }

    protected override Task StopServer() => _server.Kill();

    protected override Task<long> Count(string measurement) => _server.CountOf(measurement, "x");
}

/// <summary>A real VictoriaMetrics.</summary>
public sealed class VictoriaMetricsWriteTests : WriteContract
{
    private readonly VictoriaMetrics _server = new();

    protected override string Kind => "VictoriaMetrics";

    private protected override InfluxOptions Options => new(new Uri(_server.Url + "/"), "telemetry");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Points_OlderThanItKeeps_AreSetAside()
    {
        await StartServer();
        await Add(10, i =>
        {
            var point = Point("load", i);
            point.Time.Seconds -= i < 4 ? 366 * 24 * 3_600 : 0;
            return point;
        });

        var setAside = await WriteAll();

        await Has("load", 6);
        Assert.Contains("older than VictoriaMetrics keeps points", await File.ReadAllTextAsync(setAside.FilePath, Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Texts_BesideNumbers_AreLeftOutAndCounted()
    {
        await StartServer();
        await Add(10, i =>
        {
            var point = Point("load", i);
            if (i < 7)
                point.Fields.Add(new Protocol.V1.Field { Name = "note", StringValue = "text" });
            return point;
        });
        await using var writer = new RunningWriter(Collector, Queue, Options);
        await writer.Start();
        await writer.Drained();

        await Has("load", 10);
        Assert.Equal((7, 0), (writer.Board.State.LeftOut, writer.Board.State.SetAside));
    }

    protected override Task StartServer()
    {
        Assert.SkipUnless(VictoriaMetrics.IsInstalled, "victoria-metrics is not installed; tests/run.sh installs it");
        return _server.Start();
    }

    protected override Task StopServer() => _server.Stop();

    protected override async Task<long> Count(string measurement) => (await _server.Samples(measurement + "_x")).Count;
}

/// <summary>A stub of InfluxDB 2.x.</summary>
public sealed class Influx2StubWriteTests : WriteContract
{
    private readonly StubInflux2 _stub = new();
    private bool _isStarted;

    protected override string Kind => "InfluxDB 2.x";

    protected override bool ReadsBack => false;

    private protected override InfluxOptions Options => new(_stub.Url, "telemetry") { Organization = "acme", TokenFile = TokenFile };

    private string TokenFile => Path.Combine(Collector.DataDirectory, "token");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _stub.DisposeAsync();
    }

    [Fact]
    public async Task Token_ThatIsRefused_IsShownRarelyAndPeopleAreToldOnce()
    {
        await StartServer();
        await File.WriteAllTextAsync(TokenFile, "wrong\n", Cancellation);
        await Add(500, i => Point("load", i));
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var writer = new RunningWriter(Collector, Queue, Options, time);
        await writer.Start();
        await Until(time, () => writer.Board.State.Trouble is not null);
        var requests = _stub.Requests;
        for (var second = 0; second < 40; second++)
            time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((WriteAction.NotAllowed, requests), (writer.Board.State.Trouble!.Action, _stub.Requests));

        await File.WriteAllTextAsync(TokenFile, _stub.Token, Cancellation);
        await Until(time, () => Collector.Store.Read(transaction => transaction.Points.Waiting()).Lines == 0);

        await Has("load", 500);
        var (raised, resolved) = Collector.Store.Read(transaction => (transaction.Notices.After(0), transaction.Notices.After(1)));
        Assert.True(raised!.IsOpen);
        Assert.Contains("401", raised.Words, StringComparison.Ordinal);
        Assert.False(resolved!.IsOpen);
        Assert.Null(Collector.Store.Read(transaction => transaction.Notices.After(2)));
    }

    [Fact]
    public async Task Batch_OfWhichNothingIsWritten_IsHalvedUntilTheBadLineIsFound()
    {
        await StartServer();
        await Add(1_000, i => Point(i == 555 ? "malformed" : "load", i));

        await WriteAll();

        await Has("load", 999);
        Assert.InRange(_stub.Requests, 2, 40);
    }

    protected override async Task StartServer()
    {
        if (!_isStarted)
            await _stub.Start();
        _isStarted = true;
        _stub.Unavailable = 0;
        await File.WriteAllTextAsync(TokenFile, _stub.Token + "\n", Cancellation);
    }

    protected override Task StopServer()
    {
        _stub.Unavailable = 503;
        return Task.CompletedTask;
    }

    protected override Task<long> Count(string measurement) => Task.FromResult(_stub.CountOf(measurement));

    private static Task Until(Microsoft.Extensions.Time.Testing.FakeTimeProvider time, Func<bool> condition) => Eventually.True(
        () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return condition();
        },
        "the writer", Cancellation);
}

/// <summary>A stub of InfluxDB 3 Core.</summary>
public sealed class Influx3StubWriteTests : WriteContract
{
    private readonly StubInflux3 _stub = new();
    private bool _isStarted;

    protected override string Kind => "InfluxDB 3";

    private protected override InfluxOptions Options => new(_stub.Url, "telemetry");

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _stub.DisposeAsync();
    }

    [Fact]
    public async Task Lines_ThatItNames_AreNotLookedFor()
    {
        await StartServer();
        await Add(1_000, i => i is 3 or 900 ? Bad("load", i) : Point("load", i));

        await WriteAll();

        await Has("load", 998);
        Assert.Equal(2, _stub.Requests);
    }

    protected override async Task StartServer()
    {
        if (!_isStarted)
            await _stub.Start();
        _isStarted = true;
        _stub.Unavailable = 0;
    }

    protected override Task StopServer()
    {
        _stub.Unavailable = 429;
        return Task.CompletedTask;
    }

    protected override Task<long> Count(string measurement) => Task.FromResult(_stub.CountOf(measurement));
}
