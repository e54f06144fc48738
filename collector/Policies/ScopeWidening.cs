using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Collector.Policies;

/// <summary>A difference between two policies that an agent has to look at before anything can be said.</summary>
/// <param name="Part">Of the policy, as its file names it; <c>secret</c> are the rules that say so.</param>
/// <param name="Text">What was added or removed, as a policy writes it.</param>
internal readonly record struct ScopeChange(string Part, bool IsAdded, string Text);

/// <summary>What one policy makes agents look at that another does not. Pure. What is narrowed needs no look: it is not compared.</summary>
internal static class ScopeWidening
{
    public static IReadOnlyList<ScopeChange> Between(Policy before, Policy after) =>
    [
        .. after.Include.Where(key => !before.Include.Any(key.IsUnder)).Select(key => new ScopeChange("include", true, Path(key))),
        .. before.Exclude.Where(key => !after.Exclude.Any(key.IsUnder)).Select(key => new ScopeChange("exclude", false, Path(key))),
        .. before.OneFilesystem && !after.OneFilesystem ? [new ScopeChange("one_filesystem", false, "true")] : Array.Empty<ScopeChange>(),
        .. Parsed(after).Except(Parsed(before)).Select(text => new ScopeChange("settings", true, text)),
        .. after.Sysctls.Except(before.Sysctls).Select(pattern => new ScopeChange("sysctls", true, pattern.Text)),
        .. Secrets(after).Except(Secrets(before)).Select(text => new ScopeChange("secret", true, text)),
        .. Secrets(before).Except(Secrets(after)).Select(text => new ScopeChange("secret", false, text)),
    ];

    private static string Path(EntryKey key) => KeyText.Format(EntryKind.File, key.Bytes);

    private static IEnumerable<string> Parsed(Policy policy) =>
        policy.Settings.SelectMany(settings => settings.Match.Select(pattern => $"{pattern.Text} as {settings.Format}"));

    private static IEnumerable<string> Secrets(Policy policy) =>
        policy.Rules.Where(rule => rule.Treatment == Treatment.Secret).SelectMany(rule => rule.Match).Select(pattern => pattern.Text);
}
