using System.Text;

namespace Telemetry.Agent.Checks;

/// <summary>One value that a plug-in measured.</summary>
/// <param name="Value">Null: undetermined, <c>U</c>.</param>
/// <param name="Unit">As it is written: none, s, us, ms, %, B, KB, MB, TB or c (a counter); or another one that some plug-ins have.</param>
internal sealed record PerfValue(string Label, double? Value, string Unit, PerfRange? Warning, PerfRange? Critical, double? Min, double? Max);

/// <summary>What plug-ins write behind a bar: <c>'label'=value[UOM];[warn];[crit];[min];[max]</c>, divided by spaces. Pure.</summary>
/// <remarks>What breaks the grammar costs itself and nothing behind it, but for a quote that is never closed.</remarks>
internal sealed class PerfData
{
    public const int MaxValues = 200;
    private const int MaxLabel = 200, MaxUnit = 10, MaxParts = 5;

    private readonly HashSet<string> _labels = new(StringComparer.Ordinal);
    private readonly List<PerfValue> _values = [];

    private PerfData()
    {
    }

    public IReadOnlyList<PerfValue> Values => _values;

    /// <summary>Pieces that are no values, have the label of another, or are too many.</summary>
    public int Malformed { get; private set; }

    public static PerfData Parse(ReadOnlySpan<char> text)
    {
        var data = new PerfData();
        while (!(text = text.TrimStart()).IsEmpty)
        {
            if (!TryLabel(ref text, out var label))
            {
                data.Malformed++;
                continue;
            }

            var length = EndOfWord(text);
            if (data._values.Count == MaxValues || ValueOf(label, text[..length]) is not { } value || !data._labels.Add(label))
                data.Malformed++;
            else
                data._values.Add(value);
            text = text[length..];
        }

        return data;
    }

    /// <summary>Takes a label and its equals sign; if there is no such thing, what is up to the next space.</summary>
    private static bool TryLabel(ref ReadOnlySpan<char> text, out string label)
    {
        label = "";
        if (text[0] == '\'')
            return TryQuoted(ref text, out label);

        var end = EndOfWord(text);
        var equals = text[..end].IndexOf('=');
        var isLabel = equals is > 0 and <= MaxLabel && !text[..equals].Contains('\'');
        if (isLabel)
            label = text[..equals].ToString();
        text = text[(isLabel ? equals + 1 : end)..];
        return isLabel;
    }

    /// <summary>Two quotes within quotes are one; spaces and equals signs stand for themselves.</summary>
    private static bool TryQuoted(ref ReadOnlySpan<char> text, out string label)
    {
        var name = new StringBuilder();
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '\'' && (i + 1 == text.Length || text[i + 1] != '\''))
            {
                label = name.ToString();
                var rest = text[(i + 1)..];
                var isLabel = rest.StartsWith("=") && label.Length is > 0 and <= MaxLabel;
                text = isLabel ? rest[1..] : rest[EndOfWord(rest)..];
                return isLabel;
            }

            if (text[i] == '\'')
                i++;
            name.Append(text[i]);
        }

        label = "";
        text = [];
        return false;
    }

    private static PerfValue? ValueOf(string label, ReadOnlySpan<char> text)
    {
        Span<Range> ranges = stackalloc Range[MaxParts + 1];
        var count = text.Split(ranges, ';');
        if (count > MaxParts || !TryValue(text[ranges[0]], out var value, out var unit))
            return null;
        if (!TryRange(Part(text, ranges, count, 1), out var warning) || !TryRange(Part(text, ranges, count, 2), out var critical)
            || !TryLimit(Part(text, ranges, count, 3), out var min) || !TryLimit(Part(text, ranges, count, 4), out var max))
        {
            return null;
        }

        return new PerfValue(label, value, unit, warning, critical, min, max);
    }

    private static ReadOnlySpan<char> Part(ReadOnlySpan<char> text, ReadOnlySpan<Range> ranges, int count, int index) =>
        index < count ? text[ranges[index]] : [];

    private static bool TryValue(ReadOnlySpan<char> text, out double? value, out string unit)
    {
        unit = "";
        value = null;
        if (text.SequenceEqual("U"))
            return true;

        var end = text.IndexOfAnyExcept(PerfRange.NumberSigns);
        var number = end < 0 ? text : text[..end];
        unit = text[number.Length..].ToString();
        return PerfRange.TryNumber(number, out value) && unit.Length <= MaxUnit && unit.All(letter => char.IsAsciiLetter(letter) || letter is '%' or '/');
    }

    private static bool TryRange(ReadOnlySpan<char> text, out PerfRange? range)
    {
        range = null;
        if (text.IsEmpty)
            return true;
        var isRange = PerfRange.TryParse(text, out var parsed);
        range = parsed;
        return isRange;
    }

    private static bool TryLimit(ReadOnlySpan<char> text, out double? limit)
    {
        limit = null;
        return text.IsEmpty || PerfRange.TryNumber(text, out limit);
    }

    private static int EndOfWord(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsWhiteSpace(text[i]))
                return i;
        }

        return text.Length;
    }
}
