using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Cli;

/// <summary><c>run</c>: the service.</summary>
internal static partial class RunCommand
{
    private const string Examples = """
        telemetry-agent run
        telemetry-agent run --config ./agent.toml
        TELEMETRY_AGENT__COLLECTOR=http://127.0.0.1:7443 telemetry-agent run
        """;

    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <param name="addStages">What the service consists of.</param>
    public static Command Create(TimeProvider clock, Action<IServiceCollection, AgentOptions> addStages)
    {
        var command = new Verb("run", "Run the service: scan, keep the state, report to the collector", Examples) { CheckConfigCommand.Config };
        command.SetAction(async arguments =>
        {
            var options = AgentOptions.Load(arguments.GetValue(CheckConfigCommand.Config)!, SettingsFile.Environment());
            foreach (var warning in options.Warnings())
                Console.Error.WriteLine(warning);
            ProcessLimits.RaiseOpenFiles();
            using var host = Build(options, clock, addStages);
            return await RunAsync(host);
        });
        return command;
    }

    private static IHost Build(AgentOptions options, TimeProvider clock, Action<IServiceCollection, AgentOptions> addStages)
    {
        // The usual builder would put a watch on every directory below the current one: at start that is the whole disk.
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddSingleton(clock);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        addStages(builder.Services, options);
        builder.Logging.SetMinimumLevel(options.Log.Level);
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        if (SystemdHelpers.IsSystemdService())
        {
            builder.Logging.AddSystemdConsole();
        }
        else
        {
            builder.Logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
                console.ColorBehavior = Console.IsOutputRedirected ? LoggerColorBehavior.Disabled : LoggerColorBehavior.Default;
            });
        }

        return builder.Build();
    }

    private static async Task<int> RunAsync(IHost host)
    {
        // Before anything is disposed: a loop that died ends the host with success, and systemd would not start it again.
        var loops = host.Services.GetServices<IHostedService>().OfType<BackgroundService>().ToList();
        var log = host.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Telemetry.Agent");
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(() => Log.Stopping(log));
        await host.RunAsync();
        return loops.Exists(loop => loop.ExecuteTask is { IsFaulted: true }) ? ExitCode.No : ExitCode.Yes;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The agent stops; what changes until it starts again is found then, but not who did it")]
        public static partial void Stopping(ILogger log);
    }
}
