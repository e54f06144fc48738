using Telemetry.Collector.Ingest;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Tests;

/// <summary>The conversation one step after the other, as a test tells it.</summary>
internal static class AgentStreamExtensions
{
    public static V1.ConnectResponse Welcome(this AgentStream stream, V1.Hello hello)
    {
        stream.Meet(hello);
        return stream.WelcomeAsync().GetAwaiter().GetResult();
    }

    public static IReadOnlyList<V1.ConnectResponse> Pending(this AgentStream stream) =>
        [.. new[] { stream.AnotherPolicy() }.OfType<V1.ConnectResponse>(), .. stream.PendingAsync().ToBlockingEnumerable()];

    public static IReadOnlyList<V1.ConnectResponse> Receive(this AgentStream stream, V1.ConnectRequest request) =>
        stream.ReceiveAsync(request).ToBlockingEnumerable().ToList();
}
