using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests;

public sealed class ServeCommandTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly Lines _log = new();
    private readonly TaskCompletionSource _ended = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Serve_OnAPortThatIsTaken_EndsItsBackgroundTasksWithoutCallingThemFailed()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var exitCode = await Serve((IPEndPoint)taken.LocalEndpoint, stops: false);

        Assert.Equal(1, exitCode);
        Assert.True(_ended.Task.IsCompleted);
        Assert.DoesNotContain(_log.All, line => line.Level == LogLevel.Critical || line.Text.Contains("BackgroundService", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Serve_ThatIsStopped_SaysSo(bool whileItStarts)
    {
        var exitCode = await Serve(new IPEndPoint(IPAddress.Loopback, 0), stops: true, whileItStarts);

        Assert.Equal(0, exitCode);
        Assert.Single(_log.All, line => line.Level == LogLevel.Information && line.Text.StartsWith("The collector stops", StringComparison.Ordinal));
    }

    /// <param name="stops">By itself, once it runs.</param>
    /// <param name="early">Before it runs.</param>
    private Task<int> Serve(IPEndPoint address, bool stops, bool early = false)
    {
        File.WriteAllText(_folder["collector.toml"], $"data_directory = \"{_folder["data"]}\"");
        var command = ServeCommand.Create(_ =>
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.Logging.AddProvider(_log);
            builder.Services.AddSingleton(_ended).AddHostedService<Waiting>();
            builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(address));
            var app = builder.Build();
            if (early)
                app.Lifetime.StopApplication();
            else if (stops)
                app.Lifetime.ApplicationStarted.Register(app.Lifetime.StopApplication);
            return app;
        });
        return command.Parse(["--config", _folder["collector.toml"]]).InvokeAsync(cancellationToken: Cancellation);
    }

    /// <summary>Is cancelled before it begins, in the middle, or lets the cancellation out: all the same.</summary>
    private sealed class Waiting(TaskCompletionSource ended) : BackgroundService
    {
        public override Task StopAsync(CancellationToken cancellationToken)
        {
            ended.TrySetResult();
            return base.StopAsync(cancellationToken);
        }

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
