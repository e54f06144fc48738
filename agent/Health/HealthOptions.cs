using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Health;

/// <summary>Metrics: <c>[health]</c>.</summary>
internal sealed record HealthOptions
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromDays(1);

    // All services of a machine: many points that seldom change.
    private static readonly Dictionary<string, TimeSpan> SlowProbes = new(StringComparer.Ordinal) { ["systemd_units"] = TimeSpan.FromSeconds(60) };

    /// <summary>Every probe, in the order they are told; all are read unless <c>probes</c> says otherwise.</summary>
    public static IReadOnlyList<string> AllProbes { get; } =
        ["cpu", "mem", "swap", "disk", "diskio", "net", "netstat", "system", "processes", "kernel", "pressure", "systemd_units", "agent"];

    /// <summary>
    /// Between two samples, whose times are rounded to it. They are also the evidence that the machine ran while it was not connected:
    /// of what lies between two that are more than ten minutes apart nothing is known.
    /// </summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Which are read.</summary>
    public IReadOnlyList<string> Probes { get; init; } = AllProbes;

    /// <summary>Of those that have one of their own.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Intervals { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>How long one may take before it is given up, for now.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan IntervalOf(string probe) => Intervals.TryGetValue(probe, out var own) ? own : Interval;

    public static HealthOptions Read(SettingsSection settings)
    {
        var interval = settings.Duration("interval", TimeSpan.FromSeconds(10), Shortest, Longest);
        var intervals = settings.Section("intervals");
        return new HealthOptions
        {
            Interval = interval,
            Probes = ReadProbes(settings),
            Intervals = AllProbes.ToDictionary(probe => probe, probe => intervals.Duration(probe, IntervalByDefault(probe, interval), Shortest, Longest)),
            Timeout = settings.Duration("timeout", TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1)),
        };
    }

    private static TimeSpan IntervalByDefault(string probe, TimeSpan interval) =>
        SlowProbes.TryGetValue(probe, out var own) && own > interval ? own : interval;

    private static IReadOnlyList<string> ReadProbes(SettingsSection settings)
    {
        if (settings.TextsOrNull("probes") is not { } probes)
            return AllProbes;
        foreach (var probe in probes.Where(probe => !AllProbes.Contains(probe)))
            settings.Fail("probes", $"has '{probe}'; there are {string.Join(", ", AllProbes)}.");
        return [.. probes.Distinct()];
    }
}
