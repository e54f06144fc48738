using Telemetry.Collector.Storage;

namespace Telemetry.Collector.TimeSeries;

internal static class TimeSeriesStage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The stage that records for graphs and reports; without a server it wants nothing.</summary>
    public static IServiceCollection AddTimeSeries(this IServiceCollection services, InfluxOptions? influx, string dataDirectory)
    {
        services.AddSingleton<TimeSeriesBoard>();
        services.AddSingleton(provider => new SetAsideFile(dataDirectory, provider.GetRequiredService<TimeProvider>()));
        if (influx is null)
            return services.AddSingleton<IPointSink, NoPointSink>();

        services.AddSingleton(influx);
        services.AddSingleton(provider => new PointQueue(
            provider.GetRequiredService<StateStore>(), provider.GetRequiredService<StoreOptions>(), provider.GetRequiredService<TimeProvider>(), influx.QueueBytes));
        services.AddSingleton<IPointSink>(provider => provider.GetRequiredService<PointQueue>());
        services.AddSingleton(provider => new InfluxClient(influx, NewHttpClient(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<ITimeSeriesStore, InfluxStore>();
        services.AddHostedService<TimeSeriesCheck>();
        services.AddHostedService<DriftSampler>();
        return services.AddHostedService<PointWriter>();
    }

    // A redirect would carry points, and a token, to somebody who was not configured.
    private static HttpClient NewHttpClient() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(10) }) { Timeout = Patience };
}
