using Telemetry.Protocol.Configuration;

namespace Telemetry.Protocol.Policies;

/// <summary>What comes with the product: the default policy, and profiles, which are rules that a policy takes over.</summary>
public static class ShippedPolicies
{
    public static readonly IReadOnlyList<string> ProfileNames = ["first-boot"];

    private static readonly Lazy<Policy> LazyDefault = new(() => Read("default"));

    /// <summary>For Debian and Amazon Linux machines; it holds where nobody set another.</summary>
    public static Policy Default => LazyDefault.Value;

    /// <summary>The default policy as people edit it.</summary>
    public static string DefaultText => Text("default");

    public static Policy? FindProfile(string name) => ProfileNames.Contains(name) ? Read(name) : null;

    /// <exception cref="ConfigurationException">Never in a build that passed its tests.</exception>
    private static Policy Read(string name) => PolicyFile.Parse(Text(name), name + ".toml");

    private static string Text(string name)
    {
        using var stream = typeof(ShippedPolicies).Assembly.GetManifestResourceStream($"policies/{name}.toml")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
