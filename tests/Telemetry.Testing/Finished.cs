using System.Diagnostics;

namespace Telemetry.Testing;

/// <summary>A program that ran to its end.</summary>
public sealed record Finished(int ExitCode, string Output, string Error)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static Task<Finished> Run(string program, params string[] arguments) => Run(program, arguments, environment: null);

    public static async Task<Finished> Run(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Deadline);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var error = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return new Finished(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {Deadline.TotalMinutes} minutes.");
        }
    }

    /// <summary>The same, where anything but success is the test's failure.</summary>
    public static async Task<Finished> Succeed(string program, params string[] arguments)
    {
        var finished = await Run(program, arguments);
        return finished.ExitCode == 0
            ? finished
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {finished.ExitCode}: {finished.Error}{finished.Output}");
    }
}
