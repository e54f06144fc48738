using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.SystemFacts;

/// <summary>Which facts of the machine are fingerprinted: <c>[system]</c>.</summary>
internal sealed record SystemOptions
{
    /// <summary>All of them when it is not set; none when it is empty.</summary>
    public required IReadOnlyList<string> Facts { get; init; }

    public static SystemOptions Read(SettingsSection settings)
    {
        var facts = settings.TextsOrNull("facts") ?? FactSources.All;
        foreach (var fact in facts.Except(FactSources.All))
            settings.Fail("facts", $"has '{fact}'; there are {string.Join(", ", FactSources.All)}.");
        return new SystemOptions { Facts = facts };
    }
}
