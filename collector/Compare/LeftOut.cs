using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Protocol.Text;

namespace Telemetry.Collector.Compare;

/// <summary>What a comparison could not conclude, for people. Pure.</summary>
internal static class LeftOut
{
    /// <returns>Empty when everything was compared.</returns>
    public static string Of(CoverageOverlap overlap, IReadOnlyList<Finding> findings)
    {
        var text = overlap.LeftOut;
        var unparsed = findings.Count(finding => finding is { IsUnparsed: true, IsDeviation: false });
        if (unparsed > 0)
            text = Append(text, $"the content of {Counted.Of(unparsed, "file")} that layers share and whose settings could not be read");
        var unread = findings.Count(finding => finding is { Verdict: Verdict.Unread, IsOverdue: false, IsUnparsed: false });
        if (unread > 0)
            text = Append(text, $"the content of {Counted.Of(unread, "entry", "entries")} that could not be read in one state");
        return With(text, findings.Count(finding => finding.Verdict == Verdict.OtherKey)) ?? "";
    }

    /// <summary>The same with secrets of which nothing but presence could be compared.</summary>
    public static string? With(string? text, int secretsUnderOtherKeys) => secretsUnderOtherKeys == 0
        ? text
        : Append(text, $"the content of {Counted.Of(secretsUnderOtherKeys, "secret")} whose digests are not under the same key");

    private static string Append(string? text, string part) => text is null ? "not compared: " + part : $"{text}; {part}";
}
