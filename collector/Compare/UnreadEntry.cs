using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Compare;

/// <summary>An entry that an instance could not read in one state.</summary>
/// <param name="Since">The collector's clock: when it was first told so.</param>
internal readonly record struct UnreadEntry(EntryKind Kind, EntryKey Key, DateTimeOffset Since);

/// <summary>When an entry that can't be read becomes a deviation of its own. Pure.</summary>
internal static class UnreadEntries
{
    /// <summary>Long enough for a file that is being written, short enough to be told on the same day.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    /// <summary>The entries that are unread on the instance's side now, each with since when.</summary>
    /// <param name="known">What was unread before.</param>
    public static IReadOnlyList<UnreadEntry> Of(
        IReadOnlyList<Finding> findings, IReadOnlyList<UnreadEntry> known, DateTimeOffset now)
    {
        var since = known.ToDictionary(entry => (entry.Kind, entry.Key), entry => entry.Since);
        return
        [
            .. findings
                .Where(IsUnreadByTheInstance)
                .Select(finding => new UnreadEntry(finding.Kind, finding.Key, since.GetValueOrDefault((finding.Kind, finding.Key), now))),
        ];
    }

    /// <summary>The findings, those that have been unread for too long marked so.</summary>
    public static IReadOnlyList<Finding> Mark(
        IReadOnlyList<Finding> findings, IReadOnlyList<UnreadEntry> unread, DateTimeOffset now)
    {
        var overdue = unread.Where(entry => now - entry.Since >= Patience).Select(entry => (entry.Kind, entry.Key)).ToHashSet();
        return overdue.Count == 0
            ? findings
            : [.. findings.Select(finding =>
                overdue.Contains((finding.Kind, finding.Key)) ? finding with { IsOverdue = true } : finding)];
    }

    /// <summary>What the baseline could not read will not get readable by waiting.</summary>
    private static bool IsUnreadByTheInstance(Finding finding) =>
        finding.Verdict == Verdict.Unread && (finding.IsUnparsed || finding.Change.AfterFingerprint is { IsStable: false });
}
