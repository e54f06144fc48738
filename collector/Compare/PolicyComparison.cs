using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Compare;

/// <summary>Compares two manifests as a policy says. Pure: it reads nodes, and knows nothing of before.</summary>
internal static class PolicyComparison
{
    /// <summary>Every entry that both sides cover, the policy looks at, and is not equal; by kind and key.</summary>
    public static IReadOnlyList<Finding> Between(
        INodeSource nodes, Roots expected, Roots actual, CoverageOverlap overlap, Yardstick yardstick)
    {
        var findings = Find(nodes, expected, actual, overlap.Covers, yardstick, overlap).ToList();
        MarkForm(findings, overlap, yardstick);
        return findings;
    }

    /// <summary>The same one by one, for who needs not all of them; what differs in form only is not told apart.</summary>
    /// <param name="covers">Whether a key is compared at all.</param>
    /// <param name="overlap">Tells which files could not be parsed; null: what could not counts as equal.</param>
    public static IEnumerable<Finding> Find(
        INodeSource nodes, Roots expected, Roots actual, Covers covers, Yardstick yardstick, CoverageOverlap? overlap = null)
    {
        var files = new ParsedFiles(nodes, expected, actual);
        foreach (var (kind, change) in Comparison.Between(nodes, expected, actual, covers))
        {
            if (!yardstick.Judges(kind, change.Key))
                continue;

            var rule = yardstick.Policy.RuleOf(kind, change.Key.Bytes);
            var verdict = Closeness.Of(kind, change.BeforeFingerprint, change.AfterFingerprint, rule?.Treatment ?? Treatment.Full);
            // A file that holds what it shall hold has no setting that differs, whatever was made of it.
            if (verdict != Verdict.Equal && !(kind == EntryKind.Setting && files.Of(change.Key).HasEqualContent))
                yield return new Finding(kind, change, verdict, rule?.Severity);
            else if (kind == EntryKind.File && overlap is not null && rule?.Treatment is null or Treatment.Full or Treatment.Secret && IsUnparsed(change, overlap, yardstick))
                yield return new Finding(kind, change, IsRefused(change, overlap) ? Verdict.Different : Verdict.Unread, rule?.Severity) { IsUnparsed = true };
        }
    }

    /// <summary>Of a file that layers share the settings are all that is expected: without them nothing says that it is as it shall be.</summary>
    private static bool IsUnparsed(EntryChange change, CoverageOverlap overlap, Yardstick yardstick)
    {
        var settings = SettingKey.PrefixOf(change.Key);
        return change.After is not null
            && ContentBySettings.Is(change.BeforeFingerprint)
            && yardstick.Judges(EntryKind.Setting, settings)
            && overlap.Expected.Covers(EntryKind.Setting, settings.Bytes)
            && !overlap.Covers(EntryKind.Setting, settings.Bytes);
    }

    /// <summary>
    /// It was read, and what it holds is not what its format allows: no layer had such a file, for they told its settings. The program
    /// that the file is for may read it all the same.
    /// </summary>
    private static bool IsRefused(EntryChange change, CoverageOverlap overlap)
    {
        var settings = SettingKey.PrefixOf(change.Key);
        return change.AfterFingerprint is { IsStable: true }
            && overlap.Actual.Gaps.Any(gap => gap.IsRefused && gap.Kind == EntryKind.Setting && gap.Prefix == settings);
    }

    private static void MarkForm(List<Finding> findings, CoverageOverlap overlap, Yardstick yardstick)
    {
        var filesWithSettings = findings
            .Where(finding => finding.Kind == EntryKind.Setting)
            .Select(finding => SettingKey.FileOf(finding.Key.Bytes))
            .ToHashSet();
        for (var i = 0; i < findings.Count && findings[i].Kind == EntryKind.File; i++)
        {
            var finding = findings[i];
            var settings = SettingKey.PrefixOf(finding.Key);
            if (finding.Verdict == Verdict.Different
                && !filesWithSettings.Contains(finding.Key)
                && Closeness.DifferInContentOnly(finding.Change.BeforeFingerprint, finding.Change.AfterFingerprint)
                && yardstick.Judges(EntryKind.Setting, settings)
                && overlap.Covers(EntryKind.Setting, settings.Bytes))
            {
                findings[i] = finding with { IsFormOnly = true };
            }
        }
    }
}
