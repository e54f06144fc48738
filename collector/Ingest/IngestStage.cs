using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Ingest;

internal static class IngestStage
{
    /// <summary>The stage that talks with agents.</summary>
    public static IServiceCollection AddIngest(this IServiceCollection services, string dataDirectory) => services
        .AddSingleton(new AliveFile(dataDirectory))
        .AddSingleton<ConnectedAgents>()
        .AddSingleton<AssemblyRoom>()
        .AddSingleton<Departures>()
        .AddSingleton<MessageRoom>()
        .AddSingleton<HelloRates>()
        .AddSingleton<CheckRates>()
        .AddSingleton<ContestedIdentities>()
        .AddHostedService<PresenceKeeper>();
}
