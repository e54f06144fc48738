using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Alerts;

internal static class AlertRoutes
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The stage that tells people, each configured route at its own pace.</summary>
    public static IServiceCollection AddAlertRoutes(this IServiceCollection services, IReadOnlyList<AlertRouteOptions> routes)
    {
        foreach (var route in routes)
        {
            services.AddSingleton<IAlertRoute>(provider =>
            {
                var collectorId = provider.GetRequiredService<StateStore>().Read(transaction => transaction.Events.CollectorId());
                return new WebhookRoute(route.Name, route.Url, collectorId, NewClient());
            });
        }

        services.AddSingleton<NoticeBoard>();
        services.AddHostedService<NoticeDelivery>();
        return services.AddHostedService<RouteDelivery>();
    }

    // A redirect would carry an event to somebody who was not configured.
    private static HttpClient NewClient() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Patience };
}
