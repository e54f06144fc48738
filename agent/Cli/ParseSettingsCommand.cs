using System.CommandLine;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Cli;

namespace Telemetry.Agent.Cli;

/// <summary><c>parse-settings</c>: what the agent starts to parse files in a process that may do nothing else. Not for people.</summary>
internal static class ParseSettingsCommand
{
    public const string Name = "parse-settings";

    public static Command Create()
    {
        var command = new Command(Name, "Parse settings for the agent") { Hidden = true };
        command.SetAction(_ =>
        {
            using var input = Console.OpenStandardInput();
            using var output = Console.OpenStandardOutput();
            ParseHelper.Run(input, output);
            return ExitCode.Yes;
        });
        return command;
    }
}
