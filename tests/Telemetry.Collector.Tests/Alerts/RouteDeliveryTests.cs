using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.Baselines;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Ingest;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Alerts;

public sealed class RouteDeliveryTests : IAsyncDisposable
{
    private readonly Collector _collector = new();
    private readonly List<JsonElement> _received = [];
    private readonly WebApplication _receiver;
    private volatile int _status = 200;

    public RouteDeliveryTests()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _receiver = builder.Build();
        _receiver.Run(async context =>
        {
            var body = await JsonDocument.ParseAsync(context.Request.Body);
            Assert.StartsWith("application/cloudevents+json", context.Request.ContentType, StringComparison.Ordinal);
            context.Response.StatusCode = _status;
            if (_status == 200)
            {
                lock (_received)
                    _received.Add(body.RootElement);
            }
        });
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _collector.Dispose();
    }

    [Fact]
    public async Task Deviation_ThatOpensAndCloses_ArrivesAsTwoCloudEventsInOrder()
    {
        await _receiver.StartAsync(Cancellation);
        var instance = new CertifiedInstance(_collector);
        using var delivery = await StartDelivery();

        instance.Tamper();
        instance.Heal();
        await Eventually.True(() => _received.Count == 2, "two events", Cancellation);

        Assert.Equal(["telemetry.deviation.opened.v1", "telemetry.deviation.closed.v1"], _received.Select(body => body.GetProperty("type").GetString()!));
        Assert.Equal(["d-1.1", "d-1.2"], _received.Select(body => body.GetProperty("id").GetString()!));
        Assert.All(_received, body => Assert.Equal("1.0", body.GetProperty("specversion").GetString()));
        Assert.All(_received, body => Assert.StartsWith("urn:telemetry:collector:", body.GetProperty("source").GetString(), StringComparison.Ordinal));
        var deviation = _received[0].GetProperty("data");
        Assert.Equal("/srv/1/1", deviation.GetProperty("key").GetString());
        Assert.Equal("changed", deviation.GetProperty("change").GetString());
        Assert.Equal("i-1", deviation.GetProperty("instance").GetString());
        await delivery.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Deviation_WhoseActorIsKnown_ArrivesWithActorAndCause()
    {
        await _receiver.StartAsync(Cancellation);
        var instance = new CertifiedInstance(_collector);
        using var delivery = await StartDelivery();

        instance.Tamper(new Changes().By(Changes.Vim).Made(CertifiedInstance.File, Some.File("by anna")));
        instance.Tamper(new Changes().Silently("/srv/2/2", Some.File("by nobody knows whom")));
        await Eventually.True(() => _received.Count == 2, "two events", Cancellation);

        Assert.Equal(
            """{"pid":4711,"exe":"/usr/bin/vim","cmdline":"vim /etc/hosts","uid":0,"login_uid":1000,"certain":true}""",
            _received[0].GetProperty("data").GetProperty("actor").GetRawText());
        Assert.Equal(
            """{"id":"c-1","kind":"actor","summary":"vim (root, logged in as anna)"}""",
            _received[0].GetProperty("data").GetProperty("cause").GetRawText());
        Assert.Equal(JsonValueKind.Null, _received[1].GetProperty("data").GetProperty("actor").ValueKind);
        Assert.Equal("unexplained", _received[1].GetProperty("data").GetProperty("cause").GetProperty("kind").GetString());
        await delivery.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Deviation_ThatStaysAsItIsWhileAnotherIsApproved_IsNotSentAgain()
    {
        await _receiver.StartAsync(Cancellation);
        var instance = new CertifiedInstance(_collector);
        instance.Tree["/srv/2/2"] = Some.File("stays");
        instance.Tamper();
        using var delivery = await StartDelivery();

        _collector.Decisions.Approve(new DecisionScope([1]), new VersionName("hotfix", "1"), null, "anna", "as intended");
        instance.Tree["/srv/3/3"] = Some.File("later");
        instance.Report();
        await Eventually.True(() => _received.Any(body => body.GetProperty("id").GetString() == "d-3.1"), "the last event", Cancellation);

        Assert.Equal(["d-1.2", "d-3.1"], _received.Select(body => body.GetProperty("id").GetString()!));
        await delivery.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Identity_ThatIsContested_IsToldOnceUntilTheCopyWasQuiet()
    {
        await _receiver.StartAsync(Cancellation);
        _ = new CertifiedInstance(_collector);
        using var delivery = await StartDelivery();
        var contested = new ContestedIdentities(_collector.Store, _collector.Feed, _collector.Time);

        await contested.NoteAsync("i-1", "ipv4:10.0.0.9:1234");
        _collector.Time.Advance(TimeSpan.FromMinutes(50));
        await contested.NoteAsync("i-1", "ipv4:10.0.0.9:1235");
        _collector.Time.Advance(TimeSpan.FromMinutes(50));
        await contested.NoteAsync("i-1", "ipv4:10.0.0.9:1236");
        await contested.NoteAsync("i-none", "ipv4:10.0.0.9:1236");
        _collector.Time.Advance(TimeSpan.FromMinutes(70));
        await contested.NoteAsync("i-1", "ipv4:10.0.0.9:1237");
        await Eventually.True(() => _received.Count == 2, "two events", Cancellation);

        Assert.All(_received, body => Assert.Equal("telemetry.instance.contested.v1", body.GetProperty("type").GetString()));
        Assert.All(_received, body => Assert.Equal("i-1", body.GetProperty("subject").GetString()));
        Assert.Equal(["ipv4:10.0.0.9:1234", "ipv4:10.0.0.9:1237"], _received.Select(body => body.GetProperty("data").GetProperty("peer").GetString()!));
        Assert.Equal(2, _received.Select(body => body.GetProperty("id").GetString()).Distinct().Count());
        Assert.Contains("a disk was cloned", _received[0].GetProperty("data").GetProperty("summary").GetString(), StringComparison.Ordinal);
        await delivery.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Receiver_ThatRefuses_GetsTheEventAgainAndNothingOvertakesIt()
    {
        _status = 503;
        await _receiver.StartAsync(Cancellation);
        var instance = new CertifiedInstance(_collector);
        using var delivery = await StartDelivery();

        instance.Tamper();
        instance.Heal();
        _status = 200;
        await EventuallyAdvancing(() => _received.Count == 2);

        Assert.Equal(["d-1.1", "d-1.2"], _received.Select(body => body.GetProperty("id").GetString()!));
        await delivery.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Delivery_AfterARestart_GoesOnWhereItStopped()
    {
        await _receiver.StartAsync(Cancellation);
        var instance = new CertifiedInstance(_collector);
        using (var delivery = await StartDelivery())
        {
            instance.Tamper();
            await Eventually.True(() => Delivered() == 1, "the first delivery to be noted", Cancellation);
            await delivery.StopAsync(Cancellation);
        }

        _collector.Restart();
        instance.Reconnect();
        instance.Heal();
        using var second = await StartDelivery();
        await Eventually.True(() => _received.Count == 2, "the second event", Cancellation);

        Assert.Equal(["d-1.1", "d-1.2"], _received.Select(body => body.GetProperty("id").GetString()!));
        await second.StopAsync(Cancellation);
    }

    private long Delivered() => _collector.Store.Read(transaction => transaction.Events.DeliveredBy("ops")) ?? 0;

    private async Task<RouteDelivery> StartDelivery()
    {
        var route = new WebhookRoute("ops", new Uri(_receiver.Urls.First()), "c1", new HttpClient());
        var delivery = new RouteDelivery([route], _collector.Store, _collector.Feed, _collector.Time, NullLogger<RouteDelivery>.Instance);
        await delivery.StartAsync(Cancellation);
        await Eventually.True(
            () => _collector.Store.Read(transaction => transaction.Events.DeliveredBy("ops")) is not null, "the route to be noted", Cancellation);
        return delivery;
    }

    /// <summary>Retries wait on the test's clock.</summary>
    private Task EventuallyAdvancing(Func<bool> condition) =>
        Eventually.True(
            () =>
            {
                _collector.Time.Advance(TimeSpan.FromSeconds(1));
                return condition();
            },
            "events after retries",
            Cancellation);
}
