using System.Globalization;

namespace Telemetry.Collector.Fleet;

/// <summary>A time as people write it: as in RFC 3339, to the minute, the second or less, or a day; without a zone it is UTC.</summary>
internal static class Moment
{
    public const string Example = "2026-03-03T10:00Z";

    private static readonly string[] Forms =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mmK", "yyyy-MM-dd HH:mm:ssK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK",
    ];

    /// <param name="time">The last millisecond of what the text names, down to a second: what is shown as of a second was in it.</param>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        if (!DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time))
            return false;
        if (!text.Contains('.'))
            time += TimeSpan.FromMilliseconds(999);
        return true;
    }
}
