using Polly;
using Polly.Retry;

namespace Telemetry.Collector.Alerts;

/// <summary>Sends to a route until it takes it; what comes behind waits. Says once when the route takes nothing, and once when it does again.</summary>
internal sealed partial class RouteRetry
{
    private readonly string _route;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline _pipeline;
    private bool _isRefusing;

    public RouteRetry(IAlertRoute route, TimeProvider time, ILogger logger)
    {
        _route = route.Name;
        _logger = logger;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<AlertException>(),
                MaxRetryAttempts = int.MaxValue,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromSeconds(1),
                MaxDelay = TimeSpan.FromMinutes(1),
                UseJitter = true,
                OnRetry = retry =>
                {
                    if (!_isRefusing)
                        Log.Refuses(_logger, _route, retry.Outcome.Exception!.Message);
                    _isRefusing = true;
                    return default;
                },
            })
            .Build();
    }

    public async Task SendAsync(Func<CancellationToken, Task> send, CancellationToken stopping)
    {
        await _pipeline.ExecuteAsync(async cancellation => await send(cancellation), stopping);
        if (_isRefusing)
            Log.Takes(_logger, _route);
        _isRefusing = false;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Route {Route} does not take events: {Reason}. They wait in order and are sent again; other routes are not affected")]
        public static partial void Refuses(ILogger logger, string route, string reason);

        [LoggerMessage(3, LogLevel.Information, "Route {Route} takes events again")]
        public static partial void Takes(ILogger logger, string route);
    }
}
