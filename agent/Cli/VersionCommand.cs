using System.CommandLine;
using System.Reflection;

namespace Telemetry.Agent.Cli;

/// <summary><c>version</c></summary>
internal static class VersionCommand
{
    /// <summary>Such as <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static Command Create()
    {
        var command = new Command("version", "Print the version");
        command.SetAction(_ => Console.Out.WriteLine("telemetry-agent " + Version));
        return command;
    }
}
