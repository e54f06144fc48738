using System.Globalization;
using System.Text;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Questions in InfluxQL, as InfluxDB 1.x, 2.x and 3 read it. Pure.</summary>
internal static class InfluxQl
{
    /// <summary>A field that no tag is named like.</summary>
    private const string OfOneSeries = "\"value of one series\"";

    public static string Of(SeriesQuery query)
    {
        var by = query.By.Select(Name);
        var text = new StringBuilder();
        if (query.Across is { } across)
        {
            text.Append(CultureInfo.InvariantCulture, $"SELECT {Function(across)}({OfOneSeries}) AS value FROM (");
            AppendSelection(text, query, OfOneSeries, ["*"]);
            text.Append(CultureInfo.InvariantCulture, $") WHERE {Range(query)}");
            AppendGroups(text, query, by);
        }
        else
        {
            AppendSelection(text, query, "value", by);
        }

        // One more than may be answered, so that too many are told from just enough.
        return text.Append(CultureInfo.InvariantCulture, $" LIMIT {SeriesQuery.MaxSteps + 2} SLIMIT {SeriesQuery.MaxSeries + 1}").ToString();
    }

    private static void AppendSelection(StringBuilder text, SeriesQuery query, string name, IEnumerable<string> by)
    {
        text.Append(CultureInfo.InvariantCulture, $"SELECT {Function(query.Aggregate)}({Name(query.Field)}) AS {name} FROM {Name(query.Measurement)} WHERE {Range(query)}");

        // A field of the same name would be meant.
        foreach (var (tag, value) in query.Where)
            text.Append(CultureInfo.InvariantCulture, $" AND {Name(tag)}::tag = {Text(value)}");
        AppendGroups(text, query, by);
    }

    private static void AppendGroups(StringBuilder text, SeriesQuery query, IEnumerable<string> by)
    {
        string[] groups = query.Step is { } step ? [string.Create(CultureInfo.InvariantCulture, $"time({(long)step.TotalSeconds}s)"), .. by] : [.. by];
        if (groups.Length > 0)
            text.Append(" GROUP BY ").AppendJoin(", ", groups);
        if (query.Step is not null)
            text.Append(" fill(none)");
    }

    private static string Range(SeriesQuery query) =>
        string.Create(CultureInfo.InvariantCulture, $"time >= {Milliseconds(query.From)}ms AND time < {Milliseconds(query.To)}ms");

    /// <summary>An identifier, whatever it holds.</summary>
    public static string Name(string name) => Quoted(name, '"');

    /// <summary>A value of a tag, whatever it holds.</summary>
    public static string Text(string text) => Quoted(text, '\'');

    private static string Quoted(string text, char quote) =>
        quote + text.Replace("\\", @"\\").Replace("\n", @"\n").Replace(quote.ToString(), "\\" + quote) + quote;

    private static string Function(Aggregate aggregate) => aggregate switch
    {
        Aggregate.Mean => "mean",
        Aggregate.Min => "min",
        Aggregate.Max => "max",
        Aggregate.Sum => "sum",
        Aggregate.Last => "last",
        Aggregate.Count => "count",
        _ => throw new ArgumentOutOfRangeException(nameof(aggregate)),
    };

    private static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}
