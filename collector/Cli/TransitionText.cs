using Telemetry.Collector.Deviations;

namespace Telemetry.Collector.Cli;

/// <summary>What happened to a deviation, in lines that a terminal does not break, but for a key that is longer: that is whole. Pure.</summary>
/// <param name="Before">When, and what.</param>
/// <param name="Entry">Has a colour of its own.</param>
/// <param name="After">Where, if there is room.</param>
internal sealed record TransitionText(string Before, string Entry, string After, IReadOnlyList<string> Details)
{
    /// <param name="width">Columns; null: it may be as long as it is.</param>
    public static TransitionText Of(TransitionView view, int? width)
    {
        var deviation = view.Deviation;
        var before = $"{Output.Time(view.At)}  {Word(view),-8}  ";
        var entry = $"{deviation.Severity,-8}  {deviation.Change,-7}  ";
        var where = $"{deviation.Instance} {deviation.Id}";
        var hasRoom = width is null || Width(before) + Width(entry) + Width(deviation.Key) + Width(where) + 2 <= width;
        var details = hasRoom ? DetailsOf(deviation) : DetailsOf(deviation).Prepend($"    on        {where}");
        return new TransitionText(before, entry + deviation.Key, hasRoom ? "  " + where : "", [.. details.Select(detail => width is { } most ? Start(detail, most) : detail)]);
    }

    /// <summary>Where a decision says more than that something changed or ended: what it gave.</summary>
    private static string Word(TransitionView view) => (view.Transition, view.Deviation.State) switch
    {
        ("changed", not "open") or ("closed", "approved") => view.Deviation.State,
        _ => view.Transition,
    };

    private static IEnumerable<string> DetailsOf(DeviationView deviation)
    {
        if (deviation is { Decision: { } decision, State: not "resolved" })
            yield return $"    state     {(deviation.State == "open" ? "open again, was " : "")}{decision.Text}";
        if (deviation.ClosedAt is not null)
            yield break;

        yield return $"    expected  {deviation.Expected?.Summary ?? "nothing"}";
        yield return $"    actual    {deviation.Actual?.Summary ?? "nothing"}";
        if (deviation.Actor is { } actor)
            yield return $"    by        {actor.Text}";
        if (deviation.Cause is { Kind: not "unexplained" } cause)
            yield return $"    cause     {cause.Id} {cause.Summary}";
    }

    private static string Start(string text, int most)
    {
        if (Width(text) <= most)
            return text;
        var end = 0;
        for (var room = most - 1; end < text.Length && room >= Width(text[end]); end++)
            room -= Width(text[end]);
        return text[..(end > 0 && char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)] + "…";
    }

    private static int Width(string text) => text.Sum(Width);

    /// <summary>Two for each that may be wide: rather too short than broken.</summary>
    private static int Width(char letter) => letter is < '\u1100' or '…' ? 1 : 2;
}
