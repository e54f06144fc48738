using System.CommandLine;
using Microsoft.AspNetCore.Connections;
using Telemetry.Collector.Storage;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector;

/// <summary><c>serve</c>: reads the configuration, runs the server, and ends with an honest exit code.</summary>
internal static partial class ServeCommand
{
    private static readonly Option<string?> Config = new("--config")
    {
        Description = $"Configuration file. Default: {CollectorOptions.DefaultPath} if it exists, else built-in defaults.",
        HelpName = "F",
    };

    public static Command Create(Func<CollectorOptions, WebApplication> build)
    {
        var command = new Verb(
            "serve",
            $"Runs the collector. Its first start writes admin.token into the data directory. Every setting has an override in the environment, such as {CollectorOptions.EnvironmentPrefix}OPERATORS__LISTEN.",
            "telemetry-collector serve --config /etc/telemetry/collector.toml")
        {
            Config,
        };
        command.SetAction((arguments, cancellation) => RunAsync(arguments.GetValue(Config), build, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string? path, Func<CollectorOptions, WebApplication> build, CancellationToken cancellation)
    {
        try
        {
            path ??= File.Exists(CollectorOptions.DefaultPath) ? CollectorOptions.DefaultPath : null;
            var options = CollectorOptions.Load(path, SettingsFile.Environment());
            using var data = DataDirectory.Claim(options.DataDirectory);
            await using var app = build(options);
            if (!await StartAsync(app, cancellation))
                return ExitCode.Yes;
            app.Lifetime.ApplicationStopping.Register(() => Log.Stopping(app.Logger));
            data.WriteAddresses(app.Urls);
            Log.Listening(app.Logger, app.Urls.First(), app.Urls.Last(), options.DataDirectory);
            await app.WaitForShutdownAsync(cancellation);

            // A background task that died must not look like a clean stop.
            var failed = app.Services.GetServices<IHostedService>().OfType<BackgroundService>()
                .Any(service => service.ExecuteTask is { IsFaulted: true });
            return failed ? ExitCode.No : ExitCode.Yes;
        }
        catch (ConfigurationException e)
        {
            return await FailAsync(ExitCode.WrongConfiguration, e.Message);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            return await FailAsync(ExitCode.No, $"{e.Message} Stop the program that listens there, or set agents.listen or operators.listen.");
        }
        catch (Exception e) when (e is StoreException or IOException)
        {
            return await FailAsync(ExitCode.No, e.Message);
        }
    }

    /// <summary>What can't start ends in order: else the background tasks that run already are taken for failed when they are cancelled.</summary>
    /// <returns>False when it was asked to stop before it ran.</returns>
    private static async Task<bool> StartAsync(WebApplication app, CancellationToken cancellation)
    {
        try
        {
            await app.StartAsync(cancellation);
            return true;
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            Log.Stopping(app.Logger);
            await app.StopAsync(CancellationToken.None);
            return false;
        }
        catch
        {
            await app.StopAsync(CancellationToken.None);
            throw;
        }
    }

    private static async Task<int> FailAsync(int exitCode, string message)
    {
        await Console.Error.WriteLineAsync(message);
        return exitCode;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Listening for agents on {Agents} and for operators on {Operators}; the admin token is in {DataDirectory}/admin.token")]
        public static partial void Listening(ILogger logger, string agents, string operators, string dataDirectory);

        [LoggerMessage(2, LogLevel.Information, "The collector stops; agents keep what they have to tell until it is back")]
        public static partial void Stopping(ILogger logger);
    }
}
