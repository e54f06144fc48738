using System.Net;
using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>A deviation on disk becomes a CloudEvent at somebody's HTTP server.</summary>
public sealed class WebhookTests : IAsyncDisposable
{
    private readonly HttpListener _receiver = new();
    private readonly Installation _installation;

    public WebhookTests()
    {
        var port = FreePort.Find();
        _receiver.Prefixes.Add($"http://127.0.0.1:{port}/hook/");
        _receiver.Start();
        _installation = new Installation(collectorSettings: $"""
            [[routes]]
            name = "ops"
            kind = "webhook"
            url = "http://127.0.0.1:{port}/hook/"
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _installation.DisposeAsync();
        _receiver.Close();
    }

    [Fact]
    public async Task Deviation_OfARealChange_ArrivesAsACloudEvent()
    {
        File.WriteAllText(_installation.Watched + "/conf", "a");
        var instance = await _installation.StartCertified();

        File.WriteAllText(_installation.Watched + "/conf", "b");
        var context = await _receiver.GetContextAsync().WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        var received = (await JsonDocument.ParseAsync(context.Request.InputStream, cancellationToken: TestContext.Current.CancellationToken)).RootElement;
        context.Response.StatusCode = 204;
        context.Response.Close();

        Assert.StartsWith("application/cloudevents+json", context.Request.ContentType, StringComparison.Ordinal);
        Assert.Equal("1.0", received.GetProperty("specversion").GetString());
        Assert.Equal("telemetry.deviation.opened.v1", received.GetProperty("type").GetString());
        var deviation = received.GetProperty("data");
        Assert.Equal(instance, deviation.GetProperty("instance").GetString());
        Assert.Equal(_installation.Watched + "/conf", deviation.GetProperty("key").GetString());
        Assert.Equal("changed", deviation.GetProperty("change").GetString());
    }
}
