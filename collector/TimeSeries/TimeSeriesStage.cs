using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

internal static class TimeSeriesStage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The stage that records for graphs and reports; without a server it wants nothing.</summary>
    public static IServiceCollection AddTimeSeries(this IServiceCollection services, InfluxOptions? influx)
    {
        if (influx is null)
            return services.AddSingleton<IPointSink, NoPointSink>().AddSingleton<ISeriesReader>(new NoSeriesReader("none"));

        services.AddSingleton(influx);
        services.AddSingleton(provider => new PointQueue(
            provider.GetRequiredService<StateStore>(), provider.GetRequiredService<StoreOptions>(), provider.GetRequiredService<TimeProvider>(), influx.QueueBytes));
        services.AddSingleton<IPointSink>(provider => provider.GetRequiredService<PointQueue>());
        services.AddSingleton(new HttpClient { Timeout = Patience });
        services.AddSingleton<InfluxClient>();
        services.AddHostedService<FleetSampler>();
        return services.AddHostedService<InfluxWriter>();
    }
}
