namespace Telemetry.Agent.Scan;

/// <summary>What is fingerprinted: <c>[watch]</c>. Paths are below the root.</summary>
internal sealed record WatchOptions
{
    /// <summary>Everything below the root when empty.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Wins over <see cref="Include"/>.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];
}
