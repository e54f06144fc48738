using System.Globalization;
using System.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Writes points as InfluxDB line protocol, with nanoseconds. Pure.</summary>
/// <remarks>
/// What the servers refuse is not written: NaN and infinities, empty tags, a tag or field named <c>time</c>, control
/// characters outside string values, points without a field.
/// </remarks>
internal static class LineProtocol
{
    /// <summary>Nanoseconds since 1970 in 64 bits end in the year 2262.</summary>
    private const long MaxSeconds = long.MaxValue / 1_000_000_000 - 1;

    private const string InMeasurement = ", ";
    private const string InKey = ",= ";

    /// <summary>Appends one line, or nothing when no field is left.</summary>
    /// <returns>Whether a line was written.</returns>
    public static bool Append(StringBuilder text, Point point)
    {
        var start = text.Length;
        if (point.Measurement.TrimEnd('\\').Length == 0 || point.Measurement[0] == '#')
            return false;

        AppendName(text, point.Measurement, InMeasurement);
        foreach (var (key, value) in point.Tags.OrderBy(tag => tag.Key, StringComparer.Ordinal))
        {
            if (value.TrimEnd('\\').Length == 0 || key.TrimEnd('\\') is "" or "time")
                continue;

            text.Append(',');
            AppendName(text, key, InKey);
            text.Append('=');
            AppendName(text, value, InKey);
        }

        var separator = ' ';
        foreach (var field in point.Fields)
        {
            if (field.Name.TrimEnd('\\') is "" or "time" || !IsWritable(field))
                continue;

            text.Append(separator);
            AppendName(text, field.Name, InKey);
            text.Append('=');
            AppendValue(text, field);
            separator = ',';
        }

        if (separator == ' ' || point.Time is not { Seconds: >= -MaxSeconds and <= MaxSeconds })
        {
            text.Length = start;
            return false;
        }

        text.Append(' ').Append(CultureInfo.InvariantCulture, $"{(point.Time.Seconds * 1_000_000_000) + point.Time.Nanos}").Append('\n');
        return true;
    }

    private static bool IsWritable(Field field) => field.ValueCase switch
    {
        Field.ValueOneofCase.FloatValue => double.IsFinite(field.FloatValue),
        Field.ValueOneofCase.None => false,
        _ => true,
    };

    private static void AppendName(StringBuilder text, string name, string escaped)
    {
        // A backslash before a separator would escape it.
        foreach (var character in name.TrimEnd('\\'))
        {
            if (char.IsControl(character))
                continue;
            if (escaped.Contains(character))
                text.Append('\\');
            text.Append(character);
        }
    }

    private static void AppendValue(StringBuilder text, Field field)
    {
        switch (field.ValueCase)
        {
            case Field.ValueOneofCase.FloatValue:
                // Without exponent, which not every server reads.
                text.Append(field.FloatValue.ToString("0.################", CultureInfo.InvariantCulture));
                break;
            case Field.ValueOneofCase.IntValue:
                text.Append(CultureInfo.InvariantCulture, $"{field.IntValue}i");
                break;
            case Field.ValueOneofCase.BoolValue:
                text.Append(field.BoolValue ? "true" : "false");
                break;
            default:
                text.Append('"').Append(field.StringValue.Replace("\\", @"\\").Replace("\"", "\\\"")).Append('"');
                break;
        }
    }
}
