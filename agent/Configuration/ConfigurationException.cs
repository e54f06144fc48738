namespace Telemetry.Agent.Configuration;

/// <summary>A configuration that can't be used: every mistake in it, each with its place and its remedy.</summary>
internal sealed class ConfigurationException(IReadOnlyList<string> mistakes) : Exception(string.Join(Environment.NewLine, mistakes))
{
    public IReadOnlyList<string> Mistakes { get; } = mistakes;
}
