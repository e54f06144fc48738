using System.Diagnostics;
using System.Text;

namespace Telemetry.Testing;

/// <summary>Runs the system's own tools, which serve as oracles.</summary>
public static class Shell
{
    /// <returns>Standard output, a byte a character: names need not be UTF-8.</returns>
    public static string Run(string directory, string script)
    {
        var (exitCode, output, error) = TryRun(directory, "bash", "-euc", script);
        return exitCode == 0 ? output : throw new InvalidOperationException($"'{script}' exited {exitCode}: {error}");
    }

    public static (int ExitCode, string Output, string Error) TryRun(string directory, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }
}
