using System.Text;
using Spectre.Console;

namespace Telemetry.Collector.Cli;

/// <summary>Standard output for colours, which asks the console for nothing that would change the terminal's settings.</summary>
internal sealed class StandardTerminal : IAnsiConsoleOutput
{
    private const int Unbroken = 1_000_000;

    public TextWriter Writer => Console.Out;

    public bool IsTerminal => !Console.IsOutputRedirected;

    /// <summary>What is longer would be broken: the terminal does that itself, so that a path can be copied whole.</summary>
    public int Width => Unbroken;

    public int Height => Unbroken;

    public void SetEncoding(Encoding encoding)
    {
        // It is UTF-8.
    }
}
