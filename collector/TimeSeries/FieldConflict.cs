using System.Text;

namespace Telemetry.Collector.TimeSeries;

/// <summary>A field that the server keeps in one type, and a line brings in another, as InfluxDB 1.x and 2.x say it: they tell of one, and not of which lines.</summary>
internal sealed class FieldConflict
{
    private readonly byte[] _measurement, _field;
    private readonly string _type;

    private FieldConflict(string measurement, string field, string type)
    {
        _measurement = Encoding.UTF8.GetBytes(measurement.Replace(",", "\\,").Replace(" ", "\\ "));
        _field = Encoding.UTF8.GetBytes(field.Replace(",", "\\,").Replace("=", "\\=").Replace(" ", "\\ ") + "=");
        _type = type;
    }

    /// <returns>Null when the words are about something else.</returns>
    public static FieldConflict? In(string words)
    {
        const string Field = "input field \"", On = "\" on measurement \"", Is = "\" is type ", Exists = ", already exists as type ";
        var field = words.IndexOf(Field, StringComparison.Ordinal) + Field.Length;
        var on = words.IndexOf(On, StringComparison.Ordinal);
        var type = words.LastIndexOf(Is, StringComparison.Ordinal);
        var end = words.LastIndexOf(Exists, StringComparison.Ordinal);
        return field >= Field.Length && on >= field && type >= on + On.Length && end >= type + Is.Length
            ? new FieldConflict(words[(on + On.Length)..type], words[field..on], words[(type + Is.Length)..end])
            : null;
    }

    /// <summary>Whether a line looks as if it were of those: what comes of it is asked of the server.</summary>
    public bool IsIn(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith(_measurement) || line.Length == _measurement.Length || line[_measurement.Length] is not ((byte)',' or (byte)' '))
            return false;
        for (var rest = line[_measurement.Length..]; rest.IndexOf(_field) is var at and >= 0; rest = rest[(at + _field.Length)..])
        {
            if (at > 0 && rest[at - 1] is (byte)',' or (byte)' ' && _type == TypeOf(rest[(at + _field.Length)..]))
                return true;
        }

        return false;
    }

    /// <summary>In the servers' words.</summary>
    private static string TypeOf(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOfAny(", \n"u8);
        value = end < 0 ? value : value[..end];
        return value switch
        {
            [(byte)'"', ..] => "string",
            [(byte)'t' or (byte)'f', ..] => "boolean",
            [.., (byte)'i'] => "integer",
            _ => "float",
        };
    }
}
