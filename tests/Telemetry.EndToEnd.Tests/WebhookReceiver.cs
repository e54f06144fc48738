using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Somebody's HTTP server: takes every event and keeps its id.</summary>
internal sealed class WebhookReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, byte> _ids = new();

    public WebhookReceiver()
    {
        Url = $"http://127.0.0.1:{FreePort.Find()}/hook/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = Receive();
    }

    public string Url { get; }

    /// <summary>Of all events that came, once each.</summary>
    public ICollection<string> Ids => _ids.Keys;

    public void Dispose() => _listener.Close();

    private async Task Receive()
    {
        while (_listener.IsListening)
        {
            var context = await _listener.GetContextAsync();
            try
            {
                using var received = await JsonDocument.ParseAsync(context.Request.InputStream);
                _ids[received.RootElement.GetProperty("id").GetString()!] = 0;
                context.Response.StatusCode = 204;
                context.Response.Close();
            }
            catch (Exception e) when (e is JsonException or IOException or HttpListenerException)
            {
                // The sender was killed meanwhile, and sends it again.
            }
        }
    }
}
