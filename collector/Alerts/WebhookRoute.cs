using System.Net.Http.Headers;
using System.Text.Json;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;
using Telemetry.Collector.Deviations;
using Telemetry.Collector.Storage;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Alerts;

/// <summary>Posts each event as a CloudEvent 1.0 in structured JSON mode. Source and id name it for ever.</summary>
internal sealed class WebhookRoute(string name, Uri url, string collectorId, HttpClient http) : IAlertRoute
{
    private static readonly JsonEventFormatter Formatter = new(
        new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower }, default);

    public string Name => name;

    public Task SendAsync(StoredEvent stored, CancellationToken cancellation) => SendAsync(ToCloudEvent(stored), cancellation);

    public Task SendAsync(Notice notice, CancellationToken cancellation) => SendAsync(ToCloudEvent(notice), cancellation);

    private async Task SendAsync(CloudEvent told, CancellationToken cancellation)
    {
        try
        {
            using var content = new ReadOnlyMemoryContent(Formatter.EncodeStructuredModeMessage(told, out var contentType));
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType.ToString());
            using var response = await http.PostAsync(url, content, cancellation);
            if (!response.IsSuccessStatusCode)
                throw new AlertException($"{url.GetLeftPart(UriPartial.Path)} answered {(int)response.StatusCode}");
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && e is HttpRequestException or TaskCanceledException)
        {
            throw new AlertException(e.Message);
        }
    }

    private CloudEvent ToCloudEvent(StoredEvent stored) => stored.IsContested ? OfContested(stored) : new CloudEvent(CloudEventsSpecVersion.V1_0)
    {
        Id = $"{Deviation.IdText(stored.DeviationId)}.{stored.Number}",
        Source = new Uri($"urn:telemetry:collector:{collectorId}"),
        Type = $"telemetry.deviation.{DeviationView.Word(stored.Kind)}.v1",
        Time = stored.At,
        Subject = Deviation.IdText(stored.DeviationId),
        DataContentType = "application/json",
        Data = DeviationView.Of(V1.Deviation.Parser.ParseFrom(stored.Body)),
    };

    /// <summary>With its time in the id: the store may be put back to an older copy, which gives numbers again.</summary>
    private CloudEvent ToCloudEvent(Notice notice) => new(CloudEventsSpecVersion.V1_0)
    {
        Id = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"notice.{notice.Id}.{notice.At.ToUnixTimeMilliseconds()}"),
        Source = new Uri($"urn:telemetry:collector:{collectorId}"),
        Type = $"telemetry.notice.{(notice.IsOpen ? "raised" : "resolved")}.v1",
        Time = notice.At,
        Subject = notice.Subject,
        DataContentType = "application/json",
        Data = new NoticeView(notice.Subject, notice.IsOpen ? "raised" : "resolved", notice.Words, notice.At.UtcDateTime),
    };

    private sealed record NoticeView(string Subject, string State, string Words, DateTime At);
    private CloudEvent OfContested(StoredEvent stored)
    {
        var contested = V1.ContestedIdentity.Parser.ParseFrom(stored.Body);
        return new CloudEvent(CloudEventsSpecVersion.V1_0)
        {
            Id = $"e-{stored.Position}",
            Source = new Uri($"urn:telemetry:collector:{collectorId}"),
            Type = "telemetry.instance.contested.v1",
            Time = stored.At,
            Subject = contested.InstanceId,
            DataContentType = "application/json",
            Data = new ContestedView(contested.InstanceId, contested.Name, contested.Peer),
        };
    }

    /// <summary>A machine that was refused because it claims to be another one: its disk is a copy of that one's.</summary>
    /// <param name="Name">Of the instance that was there first.</param>
    /// <param name="Peer">Where the copy is.</param>
    private sealed record ContestedView(string Instance, string Name, string Peer)
    {
        public string Summary { get; } = $"A second machine, at {Peer}, claims to be {Instance} ({Name}), which is connected and alive: a disk was cloned. It is refused; delete the agent's state directory on the copy.";
    }
}
