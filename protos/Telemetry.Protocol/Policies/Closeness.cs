using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>Compares two fingerprints of one entry as closely as a treatment says. Pure.</summary>
public static class Closeness
{
    private const uint SetuidOrSetgid = 0b110_000_000_000;

    /// <summary>Of what only presence is looked at, this is seen.</summary>
    private static readonly Fingerprint Present = new();

    /// <summary>Of two manifests whose differences nobody's policy judges.</summary>
    public static Verdict Of(EntryKind kind, EntryChange change) =>
        Of(kind, change.BeforeFingerprint, change.AfterFingerprint, Treatment.Full);

    /// <param name="expected">Null: the entry shall not be there.</param>
    /// <param name="actual">Null: the entry is not there.</param>
    public static Verdict Of(EntryKind kind, Fingerprint? expected, Fingerprint? actual, Treatment treatment)
    {
        if (treatment == Treatment.Ignore)
            return Verdict.Equal;

        // What the machine makes of other files is there or not as those demand; only what gives rights does nothing of that sort.
        if (treatment == Treatment.Derived && (expected is null) != (actual is null))
            return GivesRights(actual) ? Verdict.Different : Verdict.Equal;
        if (expected is null || actual is null)
            return expected == actual ? Verdict.Equal : Verdict.Different;

        if (ContentBySettings.Is(expected) && DifferInContentOnly(expected, actual))
            return Verdict.Equal;

        var before = Seen(kind, expected, treatment);
        var after = Seen(kind, actual, treatment);
        var isOtherKey = IsOtherKey(before, after);
        if (isOtherKey)
            (before, after) = (WithoutDigests(before), WithoutDigests(after));

        if (AreEqual(before, after, treatment))
        {
            var shrank = treatment == Treatment.Growing && actual.Size < expected.Size;
            return shrank ? Verdict.Different : isOtherKey ? Verdict.OtherKey : Verdict.Equal;
        }

        return IsSettled(before, after) ? Verdict.Different : Verdict.Unread;
    }

    /// <summary>Whether two files hold the same for certain.</summary>
    public static bool HaveEqualContent(Fingerprint? expected, Fingerprint? actual) =>
        expected is { IsStable: true } && actual is { IsStable: true }
        && (expected.Content is not null || expected.KeyedContent is not null)
        && expected.Content == actual.Content
        && expected.KeyedContent == actual.KeyedContent;

    /// <summary>Whether two files differ in what they hold and in nothing else.</summary>
    public static bool DifferInContentOnly(Fingerprint? expected, Fingerprint? actual) =>
        expected is { IsStable: true, Type: FileType.File } && actual is { IsStable: true, Type: FileType.File }
        && WithoutContent(expected) == WithoutContent(actual);

    /// <summary>
    /// Whether the difference can be judged. Attributes that both sides know prove something in any state; the content of an entry
    /// that could not be read in one state proves nothing.
    /// </summary>
    private static bool IsSettled(Fingerprint before, Fingerprint after) =>
        (before.IsStable && after.IsStable)
        || Differ(before.Type, after.Type)
        || Differ(before.Mode, after.Mode)
        || Differ(before.Uid, after.Uid)
        || Differ(before.Gid, after.Gid);

    private static Fingerprint Seen(EntryKind kind, Fingerprint fingerprint, Treatment treatment) => treatment switch
    {
        Treatment.Presence => Present,
        Treatment.Attributes or Treatment.Growing or Treatment.Derived =>
            kind == EntryKind.File ? WithoutContent(fingerprint) : Present,
        _ => fingerprint,
    };

    /// <summary>Where content is not looked at, that it could not be read is no difference.</summary>
    private static bool AreEqual(Fingerprint before, Fingerprint after, Treatment treatment) =>
        treatment is Treatment.Full or Treatment.Secret
            ? before == after
            : before with { State = EntryState.Stable } == after with { State = EntryState.Stable };

    private static bool IsOtherKey(Fingerprint before, Fingerprint after) =>
        IsOtherKey(before.KeyedContent, before.Content is not null, after.KeyedContent, after.Content is not null)
        || IsOtherKey(before.KeyedValue, HasPlainValue(before), after.KeyedValue, HasPlainValue(after));

    private static bool IsOtherKey(KeyedDigest? before, bool isBeforePlain, KeyedDigest? after, bool isAfterPlain) =>
        before is { } left && after is { } right
            ? left.KeyId != right.KeyId
            : (before is not null && isAfterPlain) || (after is not null && isBeforePlain);

    private static bool HasPlainValue(Fingerprint fingerprint) => fingerprint.Value is not null || fingerprint.ValueDigest is not null;

    private static bool GivesRights(Fingerprint? fingerprint) =>
        fingerprint is { Type: FileType.File } && ((fingerprint.Mode & SetuidOrSetgid) != 0 || fingerprint.Xattrs is not null);

    private static Fingerprint WithoutDigests(Fingerprint fingerprint) =>
        fingerprint with { Content = null, KeyedContent = null, Value = null, ValueDigest = null, KeyedValue = null };

    private static Fingerprint WithoutContent(Fingerprint fingerprint) =>
        fingerprint with { Content = null, KeyedContent = null, Size = null, Target = null, TargetDigest = null };

    private static bool Differ<T>(T? before, T? after)
        where T : struct =>
        before is not null && after is not null && !before.Equals(after);
}
