using Telemetry.Collector.Causes;
using Telemetry.Protocol.Mapping;
using Telemetry.Protocol.Model;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Deviations;

/// <summary>Deviations as messages: what subscribers receive, and what the outbox keeps.</summary>
internal static class DeviationMapping
{
    /// <param name="baseline">Name of the version it was judged against.</param>
    public static V1.Deviation ToMessage(this Deviation deviation, string baseline, Cause? cause = null, Actor? actor = null, V1.Decision? decision = null) => new()
    {
        Id = Deviation.IdText(deviation.Id),
        InstanceId = deviation.InstanceId,
        Key = KeyText.Format(deviation.Kind, deviation.Key.Bytes),
        Kind = deviation.Kind.ToMessage(),
        Change = ToMessage(deviation.Expected, deviation.Actual),
        Severity = (V1.Severity)deviation.Severity,
        State = (V1.DeviationState)deviation.State,
        Baseline = baseline,
        OpenedAt = deviation.OpenedAt.ToTimestamp(),
        ClosedAt = deviation.ClosedAt?.ToTimestamp(),
        ObservedAfter = deviation.ObservedAfter?.ToTimestamp(),
        ObservedBefore = deviation.ObservedBefore.ToTimestamp(),
        Expected = ToEntry(deviation.Kind, deviation.Key, deviation.Expected),
        Actual = ToEntry(deviation.Kind, deviation.Key, deviation.Actual),
        Cause = cause?.ToMessage(),
        Actor = actor?.ToMessage(),
        Membership = (V1.Membership)deviation.Membership,
        Layer = deviation.Attributed?.Layer ?? "",
        Owner = deviation.Attributed?.Owner ?? "",
        Decision = decision,
    };

    public static V1.Difference ToMessage(this Compare.Difference difference) => new()
    {
        Key = KeyText.Format(difference.Kind, difference.Change.Key.Bytes),
        Kind = difference.Kind.ToMessage(),
        Change = ToMessage(difference.Change.Before, difference.Change.After),
        Expected = ToEntry(difference.Kind, difference.Change.Key, difference.Change.Before),
        Actual = ToEntry(difference.Kind, difference.Change.Key, difference.Change.After),
    };

    private static V1.Change ToMessage(byte[]? expected, byte[]? actual) =>
        expected is null ? V1.Change.Added : actual is null ? V1.Change.Removed : V1.Change.Changed;

    /// <summary>An encoded fingerprint; null stays null.</summary>
    public static Fingerprint? Decoded(this byte[]? value) => value is null ? null : Fingerprint.Decode(value);

    private static V1.Entry? ToEntry(EntryKind kind, EntryKey key, byte[]? value) => value.Decoded()?.ToMessage(kind, key);
}
