using System.CommandLine;
using System.Reflection;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.Cli;

/// <summary><c>check-config</c> and <c>version</c>: what can be asked without a server.</summary>
internal static class CheckConfigCommand
{
    private static readonly Option<string?> Config = new("--config")
    {
        Description = $"Configuration file. Default: {CollectorOptions.DefaultPath} if it exists, else built-in defaults.",
        HelpName = "F",
    };

    public static Command Create()
    {
        var command = new Verb(
            "check-config",
            "Checks the collector's configuration, and starts nothing; exits 78 when something is wrong with it.",
            "telemetry-collector check-config --config /etc/telemetry/collector.toml")
        {
            Config,
        };
        command.SetAction(arguments => Check(arguments.GetValue(Config)));
        return command;
    }

    public static Command CreateVersion()
    {
        var command = new Verb("version", "Prints the version.", "telemetryctl version");
        command.SetAction(_ => Console.Out.WriteLine(
            "telemetry-collector " + typeof(CheckConfigCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]));
        return command;
    }

    private static int Check(string? path)
    {
        path ??= File.Exists(CollectorOptions.DefaultPath) ? CollectorOptions.DefaultPath : null;
        try
        {
            CollectorOptions.Load(path, SettingsFile.Environment());
        }
        catch (ConfigurationException e)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.WrongConfiguration;
        }

        Console.Out.WriteLine(path is null ? $"There is no {CollectorOptions.DefaultPath}; the built-in defaults are right." : $"{path} is right.");
        return ExitCode.Yes;
    }
}
