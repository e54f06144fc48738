using Telemetry.Collector.Deviations;
using Telemetry.Collector.Identity;

namespace Telemetry.Collector.Policies;

/// <summary>What agents and comparisons go by: policies, the fleet's key, and what time alone says.</summary>
internal static class PoliciesStage
{
    public static IServiceCollection AddPolicies(this IServiceCollection services, string dataDirectory) => services
        .AddSingleton<PolicyBook>()
        .AddSingleton<PolicyRegistry>()
        .AddSingleton(FleetKeyFile.LoadOrCreate(dataDirectory))
        .AddHostedService<FleetKeyCheck>()
        .AddHostedService<DueTimer>();
}
