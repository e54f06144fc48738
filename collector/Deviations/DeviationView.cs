using System.Text.Json;
using System.Text.Json.Serialization;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Text;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Deviations;

/// <summary>A deviation as people and programs read it: the JSON of <c>deviations</c> and of webhooks. What is not known is null.</summary>
internal sealed record DeviationView
{
    public required string Id { get; init; }

    public required string Instance { get; init; }

    public required string Key { get; init; }

    public required string Kind { get; init; }

    public required string Change { get; init; }

    public required string Severity { get; init; }

    public required string State { get; init; }

    public string? Baseline { get; init; }

    public string? Layer { get; init; }

    public string? Owner { get; init; }

    public DateTime OpenedAt { get; init; }

    public DateTime? ClosedAt { get; init; }

    public DateTime? ObservedAfter { get; init; }

    public DateTime? ObservedBefore { get; init; }

    public CauseLink? Cause { get; init; }

    public ActorView? Actor { get; init; }

    /// <summary>In the package transaction it was made in, or during: <c>residue</c> is not what its package says.</summary>
    public string? Membership { get; init; }

    public DecisionView? Decision { get; init; }

    public EntryView? Expected { get; init; }

    public EntryView? Actual { get; init; }

    /// <summary>What a person would type to undo it: shell commands and comments. Only where one deviation is shown.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Reversal { get; init; }

    /// <summary>All that was ever decided about this entry of this instance, newest first. Only where one deviation is shown.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<DecisionView>? Decisions { get; init; }

    public static DeviationView Of(V1.Deviation deviation) => new()
    {
        Id = deviation.Id,
        Instance = deviation.InstanceId,
        Key = deviation.Key,
        Kind = Word(deviation.Kind),
        Change = Word(deviation.Change),
        Severity = Word(deviation.Severity),
        State = Word(deviation.State),
        Baseline = deviation.Baseline,
        Layer = deviation.Layer.Length == 0 ? null : deviation.Layer,
        Owner = deviation.Owner.Length == 0 ? null : deviation.Owner,
        OpenedAt = deviation.OpenedAt.ToDateTime(),
        ClosedAt = deviation.ClosedAt?.ToDateTime(),
        ObservedAfter = deviation.ObservedAfter?.ToDateTime(),
        ObservedBefore = deviation.ObservedBefore?.ToDateTime(),
        Cause = CauseLink.Of(deviation.Cause),
        Actor = ActorView.Of(deviation.Actor),
        Membership = deviation.Membership == V1.Membership.Unspecified ? null : Word(deviation.Membership),
        Decision = DecisionView.Of(deviation.Decision),
        Expected = EntryView.Of(deviation.Expected),
        Actual = EntryView.Of(deviation.Actual),
    };

    public static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

/// <summary>What somebody decided about a deviation.</summary>
internal sealed record DecisionView(string Gives, string By, string Reason, DateTime At, DateTime? Until, string? Layer, string? Baseline)
{
    /// <summary>For people.</summary>
    [JsonIgnore]
    public string Text => $"{Gives} by {By}{(Until is null ? "" : $" until {Cli.Output.Time(Until)}")}: {Reason}";

    public static DecisionView? Of(V1.Decision? decision) => decision is null ? null : new(
        DeviationView.Word(decision.Gives),
        decision.By,
        decision.Reason,
        decision.At.ToDateTime(),
        decision.Until?.ToDateTime(),
        decision.Layer.Length == 0 ? null : decision.Layer,
        decision.Baseline.Length == 0 ? null : decision.Baseline);
}

/// <summary>One transition of a deviation, as <c>watch</c> writes it: the deviation, what happened, and where to resume.</summary>
internal sealed record TransitionView(
    string Transition,
    DateTime At,
    string Cursor,
    [property: JsonPropertyOrder(1)] DeviationView Deviation);
