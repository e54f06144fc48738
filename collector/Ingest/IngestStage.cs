namespace Telemetry.Collector.Ingest;

internal static class IngestStage
{
    /// <summary>The stage that talks with agents.</summary>
    public static IServiceCollection AddIngest(this IServiceCollection services) => services
        .AddSingleton<ConnectedAgents>()
        .AddSingleton<AssemblyRoom>()
        .AddSingleton<MessageRoom>()
        .AddSingleton<HelloRates>()
        .AddHostedService<PresenceKeeper>();
}
