using System.Text.RegularExpressions;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Baselines;

/// <summary>One immutable version of a line. <paramref name="Id"/> is its order of creation.</summary>
internal sealed record Baseline(
    long Id,
    BaselineName Name,
    Roots Roots,
    Coverage Coverage,
    string Source,
    long Entries,
    DateTimeOffset ObservedAt,
    DateTimeOffset CreatedAt)
{
    /// <summary>Whether another manifest says exactly the same.</summary>
    public bool HasContent(Roots roots, Coverage coverage) => Roots == roots && Coverage.Equals(coverage);
}

/// <summary><c>LINE:VERSION</c></summary>
internal sealed partial record BaselineName(string Line, string Version)
{
    /// <summary>How a name looks, for error messages.</summary>
    public const string Form = "NAME:VERSION, such as shop:7";

    public static BaselineName? TryParse(string text)
    {
        var match = Pattern().Match(text);
        return match.Success ? new BaselineName(match.Groups[1].Value, match.Groups[2].Value) : null;
    }

    public static bool IsLine(string text) => LinePattern().IsMatch(text);

    public override string ToString() => $"{Line}:{Version}";

    [GeneratedRegex(@"\A([A-Za-z0-9][A-Za-z0-9._-]{0,62}):([A-Za-z0-9][A-Za-z0-9._+~-]{0,62})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex LinePattern();
}
