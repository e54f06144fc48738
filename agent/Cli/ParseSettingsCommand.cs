using Microsoft.Win32.SafeHandles;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Settings;
using Telemetry.Protocol.Cli;

namespace Telemetry.Agent.Cli;

/// <summary><c>parse-settings</c>: what the agent starts to parse files in a process that may do nothing else. Not for people, so no command line is read for it, which would take longer than a file.</summary>
internal static class ParseSettingsCommand
{
    public const string Name = "parse-settings";

    public static int Run()
    {
        // The console's own streams start a thread, which the helper may not.
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        using var output = new StandardOutput();
        ParseHelper.Run(input, output);
        return ExitCode.Yes;
    }
}
