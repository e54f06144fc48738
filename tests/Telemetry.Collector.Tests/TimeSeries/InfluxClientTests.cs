using System.Net;
using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class InfluxClientTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Send_ToAServerThatStopsWithinItsAnswer_EndsAtTheClientsTimeout()
    {
        using var http = new HttpClient(new StallingServer()) { Timeout = TimeSpan.FromMilliseconds(100) };
        var client = new InfluxClient(new InfluxOptions(new Uri("http://127.0.0.1:1/"), "telemetry"), http, TimeProvider.System);

        var unreachable = await Assert.ThrowsAsync<InfluxUnreachableException>(
            () => client.SendAsync(null, HttpMethod.Get, client.Url, content: null, Cancellation));

        Assert.Equal("it does not answer in time", unreachable.Message);
    }

    private sealed class StallingServer : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new StreamContent(new StallingStream()) });
    }

    /// <summary>Never ends, and never has anything.</summary>
    private sealed class StallingStream : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
