using System.Globalization;
using System.Text;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Questions in InfluxQL, as InfluxDB 1.x, 2.x and 3 read it. Pure.</summary>
internal static class InfluxQl
{
    public static string Of(SeriesQuery query)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"SELECT {Function(query.Aggregate)}({Name(query.Field)}) AS value FROM {Name(query.Measurement)}");
        text.Append(CultureInfo.InvariantCulture, $" WHERE time >= {Milliseconds(query.From)}ms AND time < {Milliseconds(query.To)}ms");

        // A field of the same name would be meant.
        foreach (var (tag, value) in query.Where)
            text.Append(CultureInfo.InvariantCulture, $" AND {Name(tag)}::tag = {Text(value)}");

        string[] groups = query.Step is { } step
            ? [string.Create(CultureInfo.InvariantCulture, $"time({(long)step.TotalSeconds}s)"), .. query.By.Select(Name)]
            : [.. query.By.Select(Name)];
        if (groups.Length > 0)
            text.Append(" GROUP BY ").AppendJoin(", ", groups);
        if (query.Step is not null)
            text.Append(" fill(none)");

        // One more than may be answered, so that too many are told from just enough.
        return text.Append(CultureInfo.InvariantCulture, $" LIMIT {SeriesQuery.MaxSteps + 2} SLIMIT {SeriesQuery.MaxSeries + 1}").ToString();
    }

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
