using Telemetry.Collector.Deviations;
using Telemetry.Collector.Identity;

namespace Telemetry.Collector.Policies;

/// <summary>What agents and comparisons go by: policies, the fleet's key, and how long an entry may stay unread.</summary>
internal static class PoliciesStage
{
    public static IServiceCollection AddPolicies(this IServiceCollection services, string dataDirectory) => services
        .AddSingleton<PolicyBook>()
        .AddSingleton<PolicyRegistry>()
        .AddSingleton(FleetKeyFile.LoadOrCreate(dataDirectory))
        .AddHostedService<FleetKeyCheck>()
        .AddHostedService<UnreadTimer>();
}
