using Telemetry.Collector.Causes;
using Telemetry.Protocol.Mapping;
using V1 = Telemetry.Protocol.V1;

namespace Telemetry.Collector.Checks;

/// <summary>States of checks from messages to the model, with a limit on everything a peer controls; and back, for people.</summary>
internal static class CheckMapping
{
    public const int MaxChecks = 500;
    private const int MaxChanges = 100;

    // Of a layer or a check, as a layer's file may have it.
    private const int MaxName = 63;
    private const int MaxText = 1_024;

    /// <param name="corrected">To the collector's clock.</param>
    /// <exception cref="BadMessageException">Beyond a limit, or what no agent tells.</exception>
    public static CheckReport ToModel(this V1.CheckBatch batch, Func<DateTimeOffset, DateTimeOffset> corrected)
    {
        if (batch.Changes.Count > MaxChanges || batch.Roster?.Checks.Count > MaxChecks)
            throw new BadMessageException($"more checks than an instance may have: {MaxChecks}, and {MaxChanges} changes at once");
        return new CheckReport(
            [.. batch.Changes.Select(change => new CheckChange(
                ToModel(change.Check),
                change.State is >= V1.CheckState.Ok and <= V1.CheckState.Unknown ? (CheckState)change.State : throw new BadMessageException($"a check's state {(int)change.State}"),
                corrected(change.At.ToTime("at")),
                PeerText.Plain(change.Text.Length <= MaxText ? change.Text : throw new BadMessageException($"a check's text of {change.Text.Length} characters, {MaxText} is the limit")),
                change.DefinesService))],
            batch.Roster is { } roster
                ? new CheckRoster(corrected(roster.At.ToTime("at")), roster.Checks.Select(check => ToModel(check).Id).ToHashSet(StringComparer.Ordinal))
                : null);
    }

    public static V1.CheckStatus ToMessage(this CheckStatus status) => new()
    {
        Check = new V1.CheckName { Layer = status.Check.Layer, Name = status.Check.Name, Owner = status.Check.Owner },
        State = (V1.CheckState)status.State,
        Before = (V1.CheckState)status.Before,
        Since = status.Since.ToTimestamp(),
        Text = status.Text,
        DefinesService = status.DefinesService,
    };

    private static CheckName ToModel(V1.CheckName? check) => check is null
        ? throw new BadMessageException("a check without a name")
        : new CheckName(Name(check.Layer, isNeeded: true), Name(check.Name, isNeeded: true), Name(check.Owner, isNeeded: false));

    private static string Name(string text, bool isNeeded) =>
        text.Length <= MaxName && (text.Length > 0 || !isNeeded) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-')
            ? text
            : throw new BadMessageException("a name of a check, or of its layer, that no layer's file may have");
}
