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
        var findings = new List<Finding>();
        foreach (var (kind, change) in Comparison.Between(nodes, expected, actual, overlap))
        {
            if (!yardstick.Judges(kind, change.Key))
                continue;

            var rule = yardstick.Policy.RuleOf(kind, change.Key.Bytes);
            var verdict = Closeness.Of(kind, change.BeforeFingerprint, change.AfterFingerprint, rule?.Treatment ?? Treatment.Full);
            if (verdict != Verdict.Equal)
                findings.Add(new Finding(kind, change, verdict, rule?.Severity));
        }

        DropSettingsOfEqualFiles(findings, nodes, expected, actual);
        MarkForm(findings, overlap, yardstick);
        return findings;
    }

    /// <summary>A file that holds what it shall hold has no setting that differs, whatever was made of it.</summary>
    private static void DropSettingsOfEqualFiles(List<Finding> findings, INodeSource nodes, Roots expected, Roots actual)
    {
        var isEqual = new Dictionary<EntryKey, bool>();
        findings.RemoveAll(finding =>
        {
            if (finding.Kind != EntryKind.Setting)
                return false;

            var file = SettingKey.FileOf(finding.Key.Bytes);
            if (!isEqual.TryGetValue(file, out var equal))
            {
                equal = Closeness.HaveEqualContent(
                    TreeReader.Find(nodes, expected.File, file), TreeReader.Find(nodes, actual.File, file));
                isEqual.Add(file, equal);
            }

            return equal;
        });
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
