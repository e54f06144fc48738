using Telemetry.Collector.Deviations;

namespace Telemetry.Collector.Cli;

/// <summary>What happened to a deviation, in lines that a terminal does not break. Pure.</summary>
/// <param name="Before">When, and what.</param>
/// <param name="Entry">Has a colour of its own.</param>
/// <param name="After">Where.</param>
internal sealed record TransitionText(string Before, string Entry, string After, IReadOnlyList<string> Details)
{
    /// <summary>A key of which less is left names nothing: then the line is broken all the same.</summary>
    private const int LeastOfKey = 12;

    /// <param name="width">Columns; null: it may be as long as it is.</param>
    public static TransitionText Of(TransitionView view, int? width)
    {
        var deviation = view.Deviation;
        var before = $"{Output.Time(view.At)}  {view.Transition,-7}  ";
        var entry = $"{deviation.Severity,-8}  {deviation.Change,-7}  ";
        var after = $"  {deviation.Instance} {deviation.Id}";
        var key = width is { } columns ? Middle(deviation.Key, Math.Max(LeastOfKey, columns - Width(before) - Width(entry) - Width(after))) : deviation.Key;
        return new TransitionText(before, entry + key, after, [.. DetailsOf(deviation).Select(detail => width is { } most ? Start(detail, most) : detail)]);
    }

    private static IEnumerable<string> DetailsOf(DeviationView deviation)
    {
        if (deviation.ClosedAt is not null)
            yield break;

        yield return $"    expected  {deviation.Expected?.Summary ?? "nothing"}";
        yield return $"    actual    {deviation.Actual?.Summary ?? "nothing"}";
        if (deviation.Actor is { } actor)
            yield return $"    by        {actor.Text}";
        if (deviation.Cause is { Kind: not "unexplained" } cause)
            yield return $"    cause     {cause.Id} {cause.Summary}";
    }

    /// <summary>The beginning and the end, of which the end says more.</summary>
    private static string Middle(string text, int most)
    {
        if (Width(text) <= most)
            return text;
        var start = Start(text, most / 3);
        var end = text.Length;
        for (var room = most - Width(start); end > 0 && room >= Width(text[end - 1]); end--)
            room -= Width(text[end - 1]);
        return start + text[(end < text.Length && char.IsLowSurrogate(text[end]) ? end + 1 : end)..];
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
