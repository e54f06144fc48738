using Telemetry.Collector.Storage;
using Telemetry.Collector.TimeSeries.Embedded;

namespace Telemetry.Collector.TimeSeries;

internal static class TimeSeriesStage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The stage that records for graphs and reports.</summary>
    public static IServiceCollection AddTimeSeries(this IServiceCollection services, TimeSeriesOptions options, string dataDirectory)
    {
        services.AddSingleton<TimeSeriesBoard>();
        services.AddSingleton(provider => new SetAsideFile(dataDirectory, provider.GetRequiredService<TimeProvider>()));
        if (options.Influx is { } influx)
            services.AddInflux(influx);
        else if (options.Embedded is { } embedded)
            services.AddEmbedded(embedded, dataDirectory);
        else
            return services.AddSingleton<IPointSink, NoPointSink>().AddSingleton<ISeriesReader>(new NoSeriesReader("No time-series store is configured: timeseries.kind is \"none\"."));

        services.AddSingleton(options.Series);
        services.AddSingleton<SeriesGuard>();
        services.AddSingleton(provider => new PointQueue(
            provider.GetRequiredService<StateStore>(),
            provider.GetRequiredService<StoreOptions>(),
            provider.GetRequiredService<TimeProvider>(),
            options.QueueBytes,
            provider.GetRequiredService<SeriesGuard>()));
        services.AddSingleton<IPointSink>(provider => provider.GetRequiredService<PointQueue>());
        services.AddHostedService<TimeSeriesCheck>();
        services.AddHostedService<FleetSampler>();
        return services.AddHostedService<PointWriter>();
    }

    private static void AddInflux(this IServiceCollection services, InfluxOptions influx)
    {
        services.AddSingleton(influx);
        services.AddSingleton(provider => new InfluxClient(influx, NewHttpClient(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<InfluxStore>();
        services.AddSingleton<ITimeSeriesStore>(provider => provider.GetRequiredService<InfluxStore>());
        services.AddSingleton<ISeriesReader>(provider => new InfluxReader(
            provider.GetRequiredService<InfluxClient>(), influx, provider.GetRequiredService<InfluxStore>().DialectAsync));
    }

    private static void AddEmbedded(this IServiceCollection services, EmbeddedOptions embedded, string dataDirectory)
    {
        services.AddSingleton(provider => EmbeddedStore.Open(
            dataDirectory,
            embedded,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<EmbeddedStore>>(),
            provider.GetRequiredService<SeriesGuard>()));
        services.AddSingleton<ITimeSeriesStore>(provider => provider.GetRequiredService<EmbeddedStore>());
        services.AddSingleton<ISeriesReader>(provider => provider.GetRequiredService<EmbeddedStore>());
        services.AddHostedService<EmbeddedRetention>();
    }

    // A redirect would carry points, and a token, to somebody who was not configured.
    private static HttpClient NewHttpClient() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(10) }) { Timeout = Patience };
}
