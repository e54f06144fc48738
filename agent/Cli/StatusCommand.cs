using System.CommandLine;
using Telemetry.Agent.StatusReports;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Cli;

/// <summary><c>status</c>: asks the running agent how it is.</summary>
internal static class StatusCommand
{
    private const string Examples = """
        telemetry-agent status
        telemetry-agent status --config ./agent.toml
        telemetry-agent status | jq -r '.coverage.watched[] | select(.method == "scans").path'
        """;

    public static Command Create()
    {
        var command = new Verb("status", "Print how the running agent is: connection, state, what is covered how; exits 69 when none answers", Examples)
        {
            CheckConfigCommand.Config, OutputFormat.Option,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var file = arguments.GetValue(CheckConfigCommand.Config)!;
        var options = AgentOptions.Load(file, SettingsFile.Environment());
        if (await StatusClient.AskAsync(options.StateDirectory, cancellation) is not var (json, report))
        {
            Console.Error.WriteLine(
                $"No agent answers for '{options.StateDirectory}', the state_directory of {file}: start it with 'systemctl start telemetry-agent', or name the configuration of one that runs with --config.");
            return ExitCode.Unreachable;
        }

        using var output = new Output();
        if (OutputFormat.IsTable(arguments))
        {
            foreach (var row in StatusView.Rows(report))
                output.Line(row);
        }
        else
        {
            output.Line(json);
        }

        return ExitCode.Yes;
    }
}
