namespace Telemetry.Protocol.Configuration;

/// <summary>Durations as people write them.</summary>
internal static class DurationText
{
    private const int MostExamples = 3;

    private static readonly TimeSpan[] Usual =
    [
        TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(5), TimeSpan.FromHours(24), TimeSpan.FromDays(30), TimeSpan.FromDays(400),
    ];

    /// <summary>In the largest unit of which it is a whole number; but a day alone as its hours.</summary>
    public static string Of(TimeSpan duration) =>
        IsWhole(duration, TimeSpan.TicksPerDay) && duration.Days > 1 ? $"{duration.Days}d"
        : IsWhole(duration, TimeSpan.TicksPerHour) ? $"{duration.TotalHours:0}h"
        : IsWhole(duration, TimeSpan.TicksPerMinute) ? $"{duration.TotalMinutes:0}m"
        : IsWhole(duration, TimeSpan.TicksPerSecond) ? $"{duration.TotalSeconds:0}s"
        : $"{duration.TotalMilliseconds:0}ms";

    /// <summary>Some that are allowed, in quotes.</summary>
    public static string Examples(TimeSpan least, TimeSpan most)
    {
        var allowed = Usual.Where(duration => duration >= least && duration <= most).Take(MostExamples).DefaultIfEmpty(least).Select(duration => $"\"{Of(duration)}\"").ToList();
        return allowed.Count == 1 ? allowed[0] : $"{string.Join(", ", allowed.SkipLast(1))} or {allowed[^1]}";
    }

    private static bool IsWhole(TimeSpan duration, long unit) => duration.Ticks > 0 && duration.Ticks % unit == 0;
}
