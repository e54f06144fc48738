using Telemetry.Collector.Compare;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Deviations;

/// <summary>How severe a difference is by its meaning alone. A policy may say otherwise. Pure.</summary>
internal static class SeverityRules
{
    private const uint SetuidOrSetgid = 0b110_000_000_000;
    private const uint Executable = 0b001_001_001;

    /// <summary>Places where a changed file means that somebody else may decide what runs, or who may log in.</summary>
    private static readonly EntryKey[] Sensitive =
    [
        EntryKey.OfPath("/etc/cron.d"),
        EntryKey.OfPath("/etc/crontab"),
        EntryKey.OfPath("/etc/ld.so.preload"),
        EntryKey.OfPath("/etc/pam.d"),
        EntryKey.OfPath("/etc/passwd"),
        EntryKey.OfPath("/etc/shadow"),
        EntryKey.OfPath("/etc/ssh"),
        EntryKey.OfPath("/etc/sudoers"),
        EntryKey.OfPath("/etc/sudoers.d"),
        EntryKey.OfPath("/etc/systemd/system"),
        EntryKey.OfPath("/root/.ssh"),
    ];

    /// <summary>
    /// What a rule of the policy says goes before what the layer's owner says, and that before what the difference means; but that
    /// somebody gains rights no owner of a layer plays down.
    /// </summary>
    public static Severity Of(Finding finding) => finding switch
    {
        { Ruled: { } severity } => severity,
        { IsFormOnly: true } => Severity.Info,
        { Said: { } severity } when Of(finding.Kind, finding.Change) != Severity.Critical => severity,
        { IsOverdue: true } => Severity.Medium,
        _ => Of(finding.Kind, finding.Change),
    };

    public static Severity Of(EntryKind kind, EntryChange change)
    {
        if (kind == EntryKind.Setting && IsSensitive(SettingKey.FileOf(change.Key.Bytes)))
            return Severity.High;
        if (kind != EntryKind.File)
            return Severity.Medium;

        var before = change.BeforeFingerprint;
        var after = change.AfterFingerprint;
        if (GainsPrivilege(before, after))
            return Severity.Critical;
        if (IsSensitive(change.Key))
            return Severity.High;
        if (IsProgram(before) || IsProgram(after))
            return Severity.High;

        // A directory changes with what is put into it; that says more.
        return after?.Type == FileType.Directory && before is null ? Severity.Low : Severity.Medium;
    }

    /// <summary>Whether a file that is setuid or setgid was not so before.</summary>
    public static bool GainsSetuid(Fingerprint? before, Fingerprint? after) =>
        after?.Type == FileType.File && ((after.Mode ?? 0) & ~(before?.Mode ?? 0) & SetuidOrSetgid) != 0;

    /// <summary>Whether a program has security attributes that it had not before.</summary>
    public static bool ProgramGainsAttributes(Fingerprint? before, Fingerprint? after) =>
        IsProgram(after) && after!.Xattrs is not null && before?.Xattrs != after.Xattrs;

    private static bool GainsPrivilege(Fingerprint? before, Fingerprint? after)
    {
        if (after is null)
            return false;

        var isPrivileged = after.Type == FileType.File && ((after.Mode ?? 0) & SetuidOrSetgid) != 0;
        return GainsSetuid(before, after)
            || (isPrivileged && before?.Content != after.Content)
            || (after.Type == FileType.File && after.Xattrs is not null && before?.Xattrs != after.Xattrs);
    }

    private static bool IsSensitive(EntryKey file) => Array.Exists(Sensitive, prefix => file.IsUnder(prefix));

    private static bool IsProgram(Fingerprint? fingerprint) =>
        fingerprint is { Type: FileType.File, Mode: { } mode } && (mode & Executable) != 0;
}
