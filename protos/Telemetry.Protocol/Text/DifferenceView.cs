using System.Text.Json.Serialization;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Text;

/// <summary>One key on which two manifests differ, as <c>diff</c> writes it: a deviation without a life.</summary>
public sealed record DifferenceView
{
    public required string Key { get; init; }

    public required string Kind { get; init; }

    /// <summary><c>added</c>, <c>removed</c> or <c>changed</c>.</summary>
    public required string Change { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public EntryView? Expected { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public EntryView? Actual { get; init; }

    public static DifferenceView Of(EntryKind kind, EntryChange change) => new()
    {
        Key = KeyText.Format(kind, change.Key.Bytes),
        Kind = kind.Name(),
        Change = ChangeWord(change.Before is not null, change.After is not null),
        Expected = change.BeforeFingerprint is { } before ? EntryView.Of(kind, change.Key, before) : null,
        Actual = change.AfterFingerprint is { } after ? EntryView.Of(kind, change.Key, after) : null,
    };

    public static string ChangeWord(bool isExpected, bool isActual) =>
        isExpected && isActual ? "changed" : isActual ? "added" : "removed";
}
