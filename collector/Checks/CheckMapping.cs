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

    /// <summary>What is beyond a limit, or what no agent tells, is left out: refused as a whole the batch would come again, for ever.</summary>
    /// <param name="corrected">To the collector's clock.</param>
    public static CheckReport ToModel(this V1.CheckBatch batch, Func<DateTimeOffset, DateTimeOffset> corrected)
    {
        var refused = new List<string>();
        var changes = batch.Changes.Take(MaxChanges).Select(change => OrRefused(() => ToModel(change, corrected))).OfType<CheckChange>().ToList();
        if (batch.Changes.Count > MaxChanges)
            refused.Add($"{batch.Changes.Count} changes at once, {MaxChanges} is the limit");
        var roster = batch.Roster is { } told ? OrRefused(() => new CheckRoster(corrected(told.At.ToTime("at")), Ids(told))) : null;
        return new CheckReport(changes, roster) { Refused = refused };

        HashSet<string> Ids(V1.CheckRoster told) => told.Checks.Count <= MaxChecks
            ? told.Checks.Select(check => OrRefused(() => ToModel(check).Id)).OfType<string>().ToHashSet(StringComparer.Ordinal)
            : throw new BadMessageException($"{told.Checks.Count} checks, {MaxChecks} is the limit");

        T? OrRefused<T>(Func<T> map)
            where T : class
        {
            try
            {
                return map();
            }
            catch (BadMessageException e)
            {
                refused.Add(e.Message);
                return null;
            }
        }
    }

    private static CheckChange ToModel(V1.CheckChange change, Func<DateTimeOffset, DateTimeOffset> corrected) => new(
        ToModel(change.Check),
        change.State is >= V1.CheckState.Ok and <= V1.CheckState.Unknown ? (CheckState)change.State : throw new BadMessageException($"a check's state {(int)change.State}"),
        corrected(change.At.ToTime("at")),
        PeerText.Plain(change.Text.Length <= MaxText ? change.Text : change.Text[..(char.IsHighSurrogate(change.Text[MaxText - 1]) ? MaxText - 1 : MaxText)]),
        change.DefinesService);

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
