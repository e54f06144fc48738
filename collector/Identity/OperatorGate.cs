namespace Telemetry.Collector.Identity;

/// <summary>Lets through what belongs to the listener it came in on, and on the operators' only who has a token.</summary>
internal sealed class OperatorGate(RequestDelegate next, AdminToken token)
{
    private const string Scheme = "Bearer ";

    public Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint is not null && !Listeners.IsServed(context))
            return Refuse(context, StatusCodes.Status404NotFound);

        var needsToken = context.Features.Get<ListenerFeature>() is not { Listener: Listener.Agents }
            && endpoint?.Metadata.GetMetadata<OpenToAll>() is null;
        return needsToken && !HasToken(context.Request) ? Refuse(context, StatusCodes.Status401Unauthorized) : next(context);
    }

    private bool HasToken(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && token.Matches(header[Scheme.Length..].Trim());
    }

    private static Task Refuse(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}

/// <summary>Marks an endpoint that needs no token.</summary>
internal sealed record OpenToAll;
