using Telemetry.Collector.Deviations;
using Telemetry.Collector.Layers;
using Telemetry.Collector.Signing;
using Telemetry.Collector.Storage;

namespace Telemetry.Collector.Baselines;

/// <summary>What instances are compared with: versions, the layers they are made of, decisions that make more of them, and signatures of all.</summary>
internal static class BaselinesStage
{
    public static IServiceCollection AddBaselines(this IServiceCollection services, string dataDirectory) => services
        .AddSingleton(SigningKey.LoadOrCreate(dataDirectory))
        .AddSingleton<Seals>()
        .AddHostedService<KeyAdoption>()
        .AddSingleton<SigningRegistry>()
        .AddSingleton<BaselineRegistry>()
        .AddSingleton<BundleRegistry>()
        .AddSingleton<LayerRegistry>()
        .AddSingleton<DecisionRegistry>();

    /// <summary>Before the first request is served.</summary>
    private sealed class KeyAdoption(StateStore store, Seals seals) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            seals.Adopt(store);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
