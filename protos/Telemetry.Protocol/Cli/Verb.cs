using System.CommandLine;

namespace Telemetry.Protocol.Cli;

/// <summary>A command that does something, with examples at the end of its help.</summary>
/// <param name="examples">One a line.</param>
public sealed class Verb(string name, string description, string examples) : Command(name, description)
{
    public string Examples { get; } = examples;
}
