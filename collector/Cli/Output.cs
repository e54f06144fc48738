using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;
using Telemetry.Collector.Causes;
using Telemetry.Protocol.Cli;

namespace Telemetry.Collector.Cli;

/// <summary>Prints for people or for programs: tables on a terminal, JSON in a pipe, unless told otherwise.</summary>
internal sealed class Output(bool isJson)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonSerializerOptions IndentedJson = new(Json) { WriteIndented = true };

    public bool IsJson => isJson;

    public static Output Of(ParseResult arguments) => new(!OutputFormat.IsTable(arguments));

    /// <summary>A list: a JSON array, or a table with a row an item.</summary>
    public void List<T>(IReadOnlyCollection<T> items, string whenEmpty, string[] columns, Func<T, string[]> row) =>
        List(items, whenEmpty, columns, row, items);

    /// <summary>The same where programs read something else than rows.</summary>
    public void List<T, TItem>(IReadOnlyCollection<T> rowItems, string whenEmpty, string[] columns, Func<T, string[]> row, IReadOnlyCollection<TItem> items)
    {
        if (isJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(items, IndentedJson));
            return;
        }

        if (rowItems.Count == 0)
        {
            Console.Error.WriteLine(whenEmpty);
            return;
        }

        // Never folded, so that every id can be copied; the last column is the longest and is not padded.
        string[][] rows = [columns, .. rowItems.Select(item => row(item).Select(Plain).ToArray())];
        var widths = columns.Select((_, column) => rows.Max(cells => cells[column].Length)).ToArray();
        foreach (var cells in rows)
        {
            var padded = cells.Select((cell, column) => column == columns.Length - 1 ? cell : cell.PadRight(widths[column]));
            Console.Out.WriteLine(string.Join("  ", padded));
        }
    }

    /// <summary>What a table has no room for, each thing once; programs have it in what they read.</summary>
    public void Notes(IEnumerable<string> notes)
    {
        foreach (var note in isJson ? [] : notes.Where(note => note.Length > 0).Distinct())
            Console.Error.WriteLine(Plain(note));
    }

    /// <summary>One thing: a JSON object, or a line a field.</summary>
    public void Show<T>(T item, IReadOnlyList<(string Name, string? Value)> fields)
    {
        if (isJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(item, IndentedJson));
            return;
        }

        var width = fields.Max(field => field.Name.Length);
        foreach (var (name, value) in fields)
        {
            if (value is { Length: > 0 })
                Console.Out.WriteLine($"{name.PadRight(width)}  {PlainLines(value)}");
        }
    }

    /// <summary>One item of a stream: a JSON line, or what <paramref name="text"/> prints.</summary>
    public void Line<T>(T item, Action<T> text)
    {
        if (!isJson)
        {
            text(item);
            return;
        }

        Console.Out.WriteLine(JsonSerializer.Serialize(item, Json));
        Console.Out.Flush();
    }

    /// <summary>The terminal; in a pipe it is as wide as the text.</summary>
    public static IAnsiConsole Terminal() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new StandardTerminal() });

    /// <summary>A text as it can be shown, whoever wrote it: nothing in it moves the cursor, colours, or poses as another line.</summary>
    public static string Plain(string text) => PeerText.Plain(text);

    /// <summary>The same, of several lines.</summary>
    public static string PlainLines(string text) => string.Join('\n', text.ReplaceLineEndings("\n").Replace("\t", "    ", StringComparison.Ordinal).Split('\n').Select(Plain));

    /// <summary>A text that is only there to be recognised, short enough for a column.</summary>
    public static string Cut(string text)
    {
        const int MaxLength = 60;
        return text.Length <= MaxLength ? text : text[..(char.IsHighSurrogate(text[MaxLength - 2]) ? MaxLength - 2 : MaxLength - 1)] + "…";
    }

    /// <summary>The two largest units that people think in.</summary>
    public static string Duration(TimeSpan duration) =>
        duration.TotalDays >= 1 ? Two((long)duration.TotalDays, "d", duration.Hours, "h")
        : duration.TotalHours >= 1 ? Two(duration.Hours, "h", duration.Minutes, "min")
        : duration.TotalMinutes >= 1 ? Two(duration.Minutes, "min", duration.Seconds, "s")
        : $"{duration.Seconds} s";

    private static string Two(long count, string unit, int rest, string smaller) => rest == 0 ? $"{count} {unit}" : $"{count} {unit} {rest} {smaller}";

    public static string Time(DateTime? time) =>
        time?.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture) ?? "";
}
