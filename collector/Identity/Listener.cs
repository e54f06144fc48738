using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Telemetry.Collector.Identity;

/// <summary>The two doors. Which one a request came through is a property of its connection: nothing it says can forge it.</summary>
internal enum Listener
{
    Agents,
    Operators,
}

internal static class Listeners
{
    /// <summary>Marks every connection that comes in here.</summary>
    public static void Mark(this ListenOptions options, Listener listener) =>
        options.Use(next => connection =>
        {
            connection.Features.Set(new ListenerFeature(listener));
            return next(connection);
        });

    /// <summary>Serves an endpoint on one listener only.</summary>
    public static TBuilder On<TBuilder>(this TBuilder builder, Listener listener)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ListenerFeature(listener));

    /// <summary>Whether the endpoint is served where the request came in.</summary>
    public static bool IsServed(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<ListenerFeature>()?.Listener == context.Features.Get<ListenerFeature>()?.Listener;
}

/// <summary>Where a connection came in, and where an endpoint is served.</summary>
internal sealed record ListenerFeature(Listener Listener);
