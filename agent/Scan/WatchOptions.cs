using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Scan;

/// <summary>What is fingerprinted: <c>[watch]</c>. Paths are below the root.</summary>
internal sealed record WatchOptions
{
    /// <summary>Everything below the root when empty.</summary>
    public required IReadOnlyList<string> Include { get; init; }

    /// <summary>Wins over <see cref="Include"/>.</summary>
    public required IReadOnlyList<string> Exclude { get; init; }

    public static WatchOptions Read(SettingsSection settings) => new()
    {
        Include = Paths(settings, "include"),
        Exclude = Paths(settings, "exclude"),
    };

    private static IReadOnlyList<string> Paths(SettingsSection settings, string name)
    {
        var paths = settings.Texts(name);
        foreach (var path in paths.Where(path => !ScopePath.IsValid(path)))
            settings.Fail(name, ScopePath.Mistake(path));
        return paths;
    }
}
