using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Telemetry.Collector.Alerts;
using Telemetry.Collector.Storage;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.Alerts;

public sealed class RouteRetryTests
{
    private readonly FakeTimeProvider _clock = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Route_ThatTakesNothingForAWhile_IsToldOnceAndOnceWhenItDoesAgain()
    {
        using var log = new Lines();
        var left = 3;
        var retry = new RouteRetry(new Nowhere(), _clock, log);

        await Send(() => left-- > 0);
        await Send(() => false);
        left = 1;
        await Send(() => left-- > 0);

        Assert.Equal(
            [
                (LogLevel.Warning, "Route ops does not take events: full. They wait in order and are sent again; other routes are not affected"),
                (LogLevel.Information, "Route ops takes events again"),
                (LogLevel.Warning, "Route ops does not take events: full. They wait in order and are sent again; other routes are not affected"),
                (LogLevel.Information, "Route ops takes events again"),
            ],
            log.All);

        async Task Send(Func<bool> isFull)
        {
            var sending = retry.SendAsync(_ => isFull() ? Task.FromException(new AlertException("full")) : Task.CompletedTask, Cancellation);
            await Eventually.True(
                () =>
                {
                    _clock.Advance(TimeSpan.FromMinutes(1));
                    return sending.IsCompleted;
                },
                "the route to take it",
                Cancellation);
            await sending;
        }
    }

    private sealed class Nowhere : IAlertRoute
    {
        public string Name => "ops";

        public Task SendAsync(StoredEvent stored, CancellationToken cancellation) => Task.CompletedTask;

        public Task SendAsync(Notice notice, CancellationToken cancellation) => Task.CompletedTask;
    }
}
