using System.Text.RegularExpressions;

namespace Telemetry.Collector.Baselines;

/// <summary><c>LINE:VERSION</c>: of a baseline, or of a layer.</summary>
internal sealed partial record VersionName(string Line, string Version)
{
    /// <summary>How a name looks, for error messages.</summary>
    public const string Form = "NAME:VERSION, such as shop:7";

    public static VersionName? TryParse(string text)
    {
        var match = Pattern().Match(text);
        return match.Success ? new VersionName(match.Groups[1].Value, match.Groups[2].Value) : null;
    }

    public static bool IsLine(string text) => LinePattern().IsMatch(text);

    public override string ToString() => $"{Line}:{Version}";

    [GeneratedRegex(@"\A([A-Za-z0-9][A-Za-z0-9._-]{0,62}):([A-Za-z0-9][A-Za-z0-9._+~-]{0,62})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LinePattern();
}
