using Telemetry.Collector.Deviations;
using Telemetry.Protocol.Model;

namespace Telemetry.Collector.Causes;

/// <summary>
/// What the instances of a cause agree on. An agent's word puts an entry into a cause, and who decides about a cause looks at few of its
/// entries: what stands out is never decided upon unseen. Pure.
/// </summary>
/// <param name="Instances">That ever had a deviation of the cause.</param>
/// <param name="Having">How many of them ever had an entry in a state; an empty state: it is gone.</param>
internal sealed record CauseAgreement(CauseKind Kind, long Instances, IReadOnlyDictionary<(EntryKind Kind, EntryKey Key, ByteText Actual), long> Having)
{
    /// <summary>Of a hundred: some lack a part of an upgrade for good reasons.</summary>
    private const long NearlyAll = 90;

    /// <summary>Whether so many are all, or nearly.</summary>
    public static bool IsShared(long having, long instances) => having * 100 >= instances * NearlyAll;

    /// <summary>Why a member stands out, for people; null: it does not.</summary>
    public string? Against(EntryKind kind, EntryChange change, Membership membership)
    {
        var having = Having.GetValueOrDefault((kind, change.Key, new ByteText(change.After)));
        if (!IsShared(having, Instances))
            return OnlyOn(having, Instances);
        if (Kind != CauseKind.Packages || kind != EntryKind.File)
            return null;
        if (SeverityRules.GainsSetuid(change.BeforeFingerprint, change.AfterFingerprint))
            return "becomes setuid or setgid";

        // What others confirm is not the word of one.
        if (Instances > 1)
            return null;
        if (SeverityRules.ProgramGainsAttributes(change.BeforeFingerprint, change.AfterFingerprint))
            return "a program that gains extended attributes, which may be capabilities";
        return membership == Membership.Unverified && SeverityRules.Of(kind, change) >= Severity.High
            ? "a program, or decides who may log in or what runs, and is in no package's list"
            : null;
    }

    public static string OnlyOn(long having, long instances) => $"on {having} of {instances} instances";
}

/// <summary>A member of a cause that stands out from it; or whatever else a decision on many leaves out.</summary>
/// <param name="Reason">For people.</param>
internal sealed record Outlier(Deviation Deviation, string Reason)
{
    /// <summary>It does not stand out, but somebody decided on it before, or on a part of its file: nothing but its id takes it.</summary>
    public bool NeedsId { get; init; }
}
