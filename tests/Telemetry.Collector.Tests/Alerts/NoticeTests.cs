using Telemetry.Collector.Alerts;

namespace Telemetry.Collector.Tests.Alerts;

public sealed class NoticeTests : IDisposable
{
    private readonly Collector _collector = new();

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void Notice_RaisedAgain_IsToldOnceUntilItIsResolved()
    {
        Board().Raise("timeseries", "no right");
        Board().Raise("timeseries", "still no right");
        Board().Resolve("timeseries", "works");
        Board().Resolve("timeseries", "works still");
        Board().Raise("timeseries", "no right again");

        var told = new List<string>();
        for (Notice? notice = null; _collector.Store.Read(transaction => transaction.Notices.After(notice?.Id ?? 0)) is { } next; notice = next)
            told.Add($"{next.IsOpen} {next.Words}");
        Assert.Equal(["True no right", "False works", "True no right again"], told);
    }

    [Fact]
    public async Task Notice_Added_IsDeliveredInOrderAndOnceThroughARestart()
    {
        var route = new Route();
        using (var first = Delivery(route))
        {
            await first.StartAsync(TestContext.Current.CancellationToken);
            await Testing.Eventually.True(() => _collector.Store.Read(transaction => transaction.Notices.DeliveredBy("ops")) is not null, "the route to be noted", TestContext.Current.CancellationToken);
            await first.StopAsync(TestContext.Current.CancellationToken);
        }

        Board().Raise("timeseries", "one");
        Board().Resolve("timeseries", "two");
        for (var start = 0; start < 2; start++)
        {
            using var next = Delivery(route);
            await next.StartAsync(TestContext.Current.CancellationToken);
            await Testing.Eventually.True(() => _collector.Store.Read(transaction => transaction.Notices.DeliveredBy("ops")) == 2, "both", TestContext.Current.CancellationToken);
            await next.StopAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(["one", "two"], route.Told.Select(notice => notice.Words));
    }

    [Fact]
    public async Task Notice_AtAWebhook_IsACloudEventOfItsOwnType()
    {
        using var receiver = new Receiver();
        using var http = new HttpClient(receiver);
        var route = new WebhookRoute("ops", new Uri("http://127.0.0.1:1/"), "c1", http);

        await route.SendAsync(new Notice(7, Some.Time, "timeseries", IsOpen: true, "no right"), TestContext.Current.CancellationToken);

        var told = receiver.Received.RootElement;
        Assert.Equal(
            ["telemetry.notice.raised.v1", $"notice.7.{Some.Time.ToUnixTimeMilliseconds()}", "timeseries"],
            new[] { "type", "id", "subject" }.Select(name => told.GetProperty(name).GetString()));
        Assert.Equal("no right", told.GetProperty("data").GetProperty("words").GetString());
    }

    private NoticeBoard Board() => new(_collector.Store, _collector.Time);

    private NoticeDelivery Delivery(IAlertRoute route) =>
        new([route], _collector.Store, Board(), _collector.Time, Microsoft.Extensions.Logging.Abstractions.NullLogger<NoticeDelivery>.Instance);

    private sealed class Receiver : HttpMessageHandler
    {
        public System.Text.Json.JsonDocument Received { get; private set; } = null!;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Received = System.Text.Json.JsonDocument.Parse(await request.Content!.ReadAsStringAsync(cancellationToken));
            return new HttpResponseMessage();
        }
    }

    private sealed class Route : IAlertRoute
    {
        public string Name => "ops";

        public List<Notice> Told { get; } = [];

        public Task SendAsync(Telemetry.Collector.Storage.StoredEvent stored, CancellationToken cancellation) => Task.CompletedTask;

        public Task SendAsync(Notice notice, CancellationToken cancellation)
        {
            Told.Add(notice);
            return Task.CompletedTask;
        }
    }
}
