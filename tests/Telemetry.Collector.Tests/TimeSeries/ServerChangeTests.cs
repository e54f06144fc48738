using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Mapping;
using Telemetry.Testing;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>Behind the address there is another server than before.</summary>
public sealed class ServerChangeTests : IAsyncDisposable
{
    private readonly Collector _collector = new();
    private readonly PointQueue _queue;
    private readonly StubInflux3 _third = new();
    private readonly StubInflux2 _second = new();
    private readonly Address _address = new();
    private RunningWriter? _writer;

    public ServerChangeTests() => _queue = new PointQueue(_collector.Store, Collector.KeepsAll, TimeProvider.System);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_writer is not null)
            await _writer.DisposeAsync();
        await _second.DisposeAsync();
        await _third.DisposeAsync();
        _address.Dispose();
        _collector.Dispose();
    }

    [Fact]
    public async Task Server_ReplacedWhileItWasAway_IsSpokenToAsWhatItIs()
    {
        await Start();
        _third.Unavailable = 503;
        await Add("between");
        await Eventually.True(() => _writer!.Board.State.Trouble is not null, "the writer to notice", Cancellation);

        _address.Server = _second.Url;
        await _writer!.Drained();

        Assert.Equal((0, 1), (_third.CountOf("between"), _second.CountOf("between")));
        Assert.StartsWith("InfluxDB 2.x", _writer.Store.Name, StringComparison.Ordinal);
    }

    /// <summary>Nobody noticed that it was away: it says another version.</summary>
    [Fact]
    public async Task Server_ReplacedBetweenTwoWrites_IsSpokenToAsWhatItIs()
    {
        await Start();

        _address.Server = _second.Url;
        await Add("after");
        await _writer!.Drained();

        Assert.Equal(1, _second.CountOf("after"));
        Assert.False(File.Exists(_writer.SetAside.FilePath));
        Assert.Null(_collector.Store.Read(transaction => transaction.Notices.After(0)));
    }

    /// <summary>What a proxy says that has no server behind it is no word of what that is.</summary>
    [Fact]
    public async Task Server_BehindAProxyThatLosesIt_IsKnownWhenItIsBack()
    {
        await Start();
        _third.Unavailable = 503;
        await Add("between");
        await Eventually.True(() => _writer!.Board.State.Trouble is not null, "the writer to notice", Cancellation);
        _address.IsLost = true;
        await Eventually.True(() => _address.Lost > 3, "the writer to look", Cancellation);

        (_address.IsLost, _third.Unavailable) = (false, 0);
        await _writer!.Drained();

        Assert.Equal(1, _third.CountOf("between"));
    }

    private async Task Start()
    {
        await _third.Start();
        await _second.Start();
        _address.Server = _third.Url;
        var token = Path.Combine(_collector.DataDirectory, "token");
        await File.WriteAllTextAsync(token, _second.Token, Cancellation);
        _writer = new RunningWriter(
            _collector, _queue, new InfluxOptions(new Uri("http://127.0.0.1:1/"), "telemetry") { Organization = "acme", TokenFile = token }, handler: _address);
        await _writer.Start();
        await Add("before");
        await _writer.Drained();
        Assert.Equal(1, _third.CountOf("before"));
    }

    private Task Add(string measurement) => _queue.AddAsync(
        [new V1.Point { Measurement = measurement, Time = Some.Time.ToTimestamp(), Fields = { new V1.Field { Name = "x", IntValue = 1 } } }]);

    /// <summary>Leads to one server or another.</summary>
    private sealed class Address() : DelegatingHandler(new SocketsHttpHandler())
    {
        public Uri Server { get; set; } = null!;

        public bool IsLost { get; set; }

        public int Lost { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (IsLost)
            {
                Lost++;
                return Task.FromResult(new HttpResponseMessage(request.Method == HttpMethod.Post ? System.Net.HttpStatusCode.BadGateway : System.Net.HttpStatusCode.NotFound));
            }

            request.RequestUri = new Uri(Server, request.RequestUri!.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
