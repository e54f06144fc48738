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
            else if (kind == EntryKind.File && rule?.Treatment is null or Treatment.Full or Treatment.Secret && IsUnparsed(change, overlap, yardstick))
                findings.Add(new Finding(kind, change, Verdict.Unread, rule?.Severity) { IsUnparsed = true });
        }

        DropSettingsThatSayNothing(findings, nodes, expected, actual);
        MarkForm(findings, overlap, yardstick);
        return findings;
    }

    /// <summary>
    /// A file that holds what it shall hold has no setting that differs, whatever was made of it. Of one that layers share, each
    /// knows the order of its own settings: of the whole none is expected.
    /// </summary>
    private static void DropSettingsThatSayNothing(List<Finding> findings, INodeSource nodes, Roots expected, Roots actual)
    {
        var files = new Dictionary<EntryKey, (bool IsEqual, bool IsShared)>();
        findings.RemoveAll(finding =>
        {
            if (finding.Kind != EntryKind.Setting)
                return false;

            var key = SettingKey.FileOf(finding.Key.Bytes);
            if (!files.TryGetValue(key, out var file))
            {
                var shall = TreeReader.Find(nodes, expected.File, key);
                file = (Closeness.HaveEqualContent(shall, TreeReader.Find(nodes, actual.File, key)), ContentBySettings.Is(shall));
                files.Add(key, file);
            }

            return file.IsEqual || (file.IsShared && finding.Change.Before is null && SettingKey.IsOrder(finding.Key));
        });
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
