using System.CommandLine;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Cli;

/// <summary><c>check-config</c>: reads the configuration as <c>run</c> would, and says what is wrong with it.</summary>
internal static class CheckConfigCommand
{
    private const string Examples = """
        telemetry-agent check-config
        telemetry-agent check-config --config ./agent.toml
        """;

    public static Option<string> Config { get; } = new("--config")
    {
        Description = "Configuration file",
        HelpName = "F",
        DefaultValueFactory = _ => AgentOptions.DefaultFile,
    };

    public static Command Create()
    {
        var command = new Verb("check-config", "Check the configuration; exits 78 when something is wrong with it", Examples) { Config };
        command.SetAction(arguments =>
        {
            var file = arguments.GetValue(Config)!;
            foreach (var warning in AgentOptions.Load(file, SettingsFile.Environment()).Warnings())
                Console.Error.WriteLine($"{file}: {warning}");
            Console.Out.WriteLine($"{file} is right.");
            return ExitCode.Yes;
        });
        return command;
    }
}
