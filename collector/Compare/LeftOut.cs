using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Compare;

/// <summary>What a comparison could not conclude, for people. Pure.</summary>
internal static class LeftOut
{
    /// <returns>Empty when everything was compared.</returns>
    public static string Of(CoverageOverlap overlap, IReadOnlyList<Finding> findings)
    {
        var text = overlap.LeftOut;
        var unread = findings.Count(finding => finding.Verdict == Verdict.Unread);
        var otherKey = findings.Count(finding => finding.Verdict == Verdict.OtherKey);
        if (unread > 0)
            text = Append(text, $"the content of {unread} entries that could not be read in one state");
        if (otherKey > 0)
            text = Append(text, $"the content of {otherKey} secrets whose digests are not under the same key (they are there)");
        return text ?? "";
    }

    private static string Append(string? text, string part) => text is null ? "not compared: " + part : $"{text}; {part}";
}
