using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Identity;

/// <summary>What a person says about this instance: <c>[instance]</c>.</summary>
internal sealed record InstanceOptions
{
    /// <summary>What people call it; the host name when not set. Also the <c>host</c> tag of its metrics.</summary>
    public required string Name { get; init; }

    public required string Group { get; init; }

    public required string Customer { get; init; }

    public required IReadOnlyDictionary<string, string> Tags { get; init; }

    public static InstanceOptions Read(SettingsSection settings) => new()
    {
        Name = settings.Text("name", "") is { Length: > 0 } name ? name : Environment.MachineName,
        Group = settings.Text("group", ""),
        Customer = settings.Text("customer", ""),
        Tags = settings.Map("tags"),
    };
}
