using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Scan;

/// <summary>What is fingerprinted: <c>[watch]</c>. Paths are below the root.</summary>
internal sealed record WatchOptions
{
    /// <summary>Everything below the root when empty.</summary>
    public required IReadOnlyList<string> Include { get; init; }

    /// <summary>Wins over <see cref="Include"/>.</summary>
    public required IReadOnlyList<string> Exclude { get; init; }

    public static WatchOptions Read(Settings settings) => new()
    {
        Include = Paths(settings, "include"),
        Exclude = Paths(settings, "exclude"),
    };

    private static IReadOnlyList<string> Paths(Settings settings, string name)
    {
        var paths = settings.Texts(name);
        foreach (var path in paths)
        {
            if (!path.StartsWith('/') || path.Contains('\0') || path.Split('/').Any(part => part is "." or ".."))
                settings.Fail(name, $"has '{path}'; write paths from a slash on, without '.' and '..', such as [\"/etc\", \"/usr/bin\"].");
        }

        return paths;
    }
}
