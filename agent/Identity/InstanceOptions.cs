namespace Telemetry.Agent.Identity;

/// <summary>What a person says about this instance: <c>[instance]</c>.</summary>
internal sealed record InstanceOptions
{
    /// <summary>What people call it; the host name when empty. Also the <c>host</c> tag of its metrics.</summary>
    public string Name { get; init; } = "";

    public string Group { get; init; } = "";

    public string Customer { get; init; } = "";

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    public string NameOrHost => Name.Length > 0 ? Name : Environment.MachineName;
}
