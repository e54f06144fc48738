using System.CommandLine;
using System.Globalization;
using System.Text;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Linux;
using Telemetry.Protocol.Cli;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;

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
            var options = AgentOptions.Load(file, SettingsFile.Environment());
            foreach (var warning in options.Warnings())
                Console.Error.WriteLine($"{file}: {warning}");
            var layers = options.Checks.AreEnabled ? LayerChecks.Read(options.Checks.Layers) : null;
            Console.Out.WriteLine(layers is { Mistakes.Count: > 0 } ? $"{file} is right, but what vendors ship with their layers is not:" : $"{file} is right.");

            var health = options.Health;
            foreach (var probe in health.Probes)
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"probe {probe} every {health.IntervalOf(probe).TotalSeconds:0.###}s"));
            return layers is null ? ExitCode.Yes : Checks(layers, options.Checks);
        });
        return command;
    }

    /// <summary>A layer with mistakes takes no other thing from the agent, but here is who can put it right.</summary>
    private static int Checks(LayerChecks layers, CheckOptions options)
    {
        foreach (var check in layers.Checks)
        {
            Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"check {check.Id} every {check.Check.Interval.TotalSeconds:0.###}s, {check.Check.Timeout.TotalSeconds:0.###}s at most: {EscapedText.Of(Encoding.UTF8.GetBytes(check.Check.Command[0]))}"));
        }

        // Who asks here may not be who runs the agent; only as root it needs that user.
        if (layers.Checks.Count > 0 && ChildUser.Find(options.User) is null)
            Console.Error.WriteLine($"An agent that is root does not run them: {options.MissingUser}.");
        foreach (var mistake in layers.Mistakes)
            Console.Error.WriteLine(mistake);
        return layers.Mistakes.Count == 0 ? ExitCode.Yes : ExitCode.WrongConfiguration;
    }
}
