namespace Telemetry.Agent.Settings.Formats;

/// <summary>Options of mount(8), of which the later one counts.</summary>
internal static class MountOptions
{
    // Each sets several others.
    private static readonly string[] Sets = ["defaults", "user", "users", "owner", "group"];

    // Set by those, or set by name and by no name.
    private static readonly string[] Switches =
        ["rw", "ro", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "auto", "noauto", "nouser", "async", "sync"];

    /// <returns>Those whose places say something: what the options of one set mean depends on none of their own places.</returns>
    public static IReadOnlyList<string> InOrder(IReadOnlyList<string> options)
    {
        var told = options.Where(option => Sets.Contains(option) || Switches.Contains(option)).ToList();
        if (told.Exists(option => told.Contains(Opposite(option))) || told.Distinct().Count() < told.Count)
            return told;
        if (!told.Exists(Sets.Contains))
            return [];

        var ordered = new List<string>();
        var since = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var option in told)
        {
            if (!Sets.Contains(option))
            {
                since.Add(option);
                continue;
            }

            ordered.AddRange(since);
            ordered.Add(option);
            since.Clear();
        }

        return [.. ordered, .. since];
    }

    private static string Opposite(string option) => option switch
    {
        "rw" => "ro",
        "ro" => "rw",
        "sync" => "async",
        "async" => "sync",
        _ => option.StartsWith("no", StringComparison.Ordinal) ? option[2..] : "no" + option,
    };
}
