using System.Buffers;
using System.Globalization;
using System.Text;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Telemetry.Protocol.V1;
using Field = Telemetry.Protocol.V1.Field;

namespace Telemetry.Collector.TimeSeries;

/// <summary>Points as InfluxDB line protocol, with nanoseconds, one line after the other in a buffer that is used again.</summary>
/// <remarks>
/// What the servers refuse is not written: NaN and infinities, empty tags, a tag or field named <c>time</c>, control
/// characters outside string values, points without a field.
/// </remarks>
internal sealed class LineProtocol : IDisposable
{
    /// <summary>Nanoseconds since 1970 in 64 bits end in the year 2262.</summary>
    private const long MaxSeconds = long.MaxValue / 1_000_000_000 - 1;

    /// <summary>The longest number there is, of any type.</summary>
    private const int MaxNumberLength = 400;

    private static readonly SearchValues<char> InMeasurement = SearchValues.Create(", ");
    private static readonly SearchValues<char> InKey = SearchValues.Create(",= ");
    private static readonly SearchValues<char> Special =
        SearchValues.Create([.. Enumerable.Range(0, 256).Select(code => (char)code).Where(char.IsControl), ',', '=', ' ']);

    /// <summary>In bytes: whole logs belong elsewhere.</summary>
    private const int MaxText = 64 * 1024;

    private readonly List<KeyValuePair<string, string>> _tags = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(8 * 1024);
    private int _length;

    /// <summary>Why the last line was not written.</summary>
    public RejectionReason Reason { get; private set; }

    public ReadOnlySpan<byte> Lines => _buffer.AsSpan(0, _length);

    /// <summary>Appends one line, or nothing when no field is left.</summary>
    /// <returns>Whether a line was written.</returns>
    public bool Append(Point point)
    {
        var start = _length;
        if (!Key(point.Measurement, point.Tags))
            return false;

        var separator = (byte)' ';
        Reason = RejectionReason.NoFields;
        foreach (var field in point.Fields)
        {
            var name = WithoutEnd(field.Name);
            if (name is "" or "time" || !IsWritable(field))
                continue;

            Byte(separator);
            Name(name, InKey);
            Byte((byte)'=');
            Value(field);
            separator = (byte)',';
        }

        return End(start, separator == ',', point.Time);
    }

    /// <summary>Appends one line of a series, or nothing when no field is left.</summary>
    /// <param name="row">With a value for each field of the series.</param>
    /// <returns>Whether a line was written.</returns>
    public bool Append(EncodedSeries series, SeriesRow row, Timestamp? time)
    {
        var start = _length;
        Raw(series.Key);
        var separator = (byte)' ';
        Reason = series.FloatFields.Length > 0 ? RejectionReason.NotFinite : RejectionReason.NoFields;
        for (var i = 0; i < series.FloatFields.Length; i++)
        {
            if (series.FloatFields[i].Length == 0 || !double.IsFinite(row.FloatValues[i]))
                continue;
            Byte(separator);
            Raw(series.FloatFields[i]);
            Float(row.FloatValues[i]);
            separator = (byte)',';
        }

        for (var i = 0; i < series.IntFields.Length; i++)
        {
            if (series.IntFields[i].Length == 0)
                continue;
            Byte(separator);
            Raw(series.IntFields[i]);
            Integer(row.IntValues[i]);
            separator = (byte)',';
        }

        return End(start, separator == ',', time);
    }

    /// <summary>Takes back what was appended behind so many bytes.</summary>
    public void Truncate(int length) => _length = length;

    /// <summary>The measurement and tags of the line that begins after so many bytes.</summary>
    public ReadOnlySpan<byte> SeriesFrom(int start)
    {
        var end = start;
        while (_buffer[end] != (byte)' ' || _buffer[end - 1] == (byte)'\\')
            end++;
        return _buffer.AsSpan(start, end - start);
    }

    /// <returns>Null when no server would take a point of that name.</returns>
    public EncodedSeries? Encode(Series series)
    {
        if (!Key(series.Measurement, series.Tags))
            return null;
        var key = Lines.ToArray();
        return new EncodedSeries(key, [.. series.FloatFields.Select(EncodeField)], [.. series.IntFields.Select(EncodeField)]);
    }

    /// <summary>Where the first line ends, behind its end. A text in quotes may have line ends of its own.</summary>
    public static int FirstLine(ReadOnlySpan<byte> lines)
    {
        var (isKey, isText) = (true, false);
        for (var i = 0; i < lines.Length; i++)
        {
            switch (lines[i])
            {
                case (byte)'\\':
                    i++;
                    break;
                case (byte)' ' when isKey:
                    isKey = false;
                    break;
                case (byte)'"' when !isKey:
                    isText = !isText;
                    break;
                case (byte)'\n' when !isText:
                    return i + 1;
            }
        }

        return lines.Length;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private byte[] EncodeField(string field)
    {
        var name = WithoutEnd(field);
        if (name is "" or "time")
            return [];

        _length = 0;
        Name(name, InKey);
        Byte((byte)'=');
        return Lines.ToArray();
    }

    private bool Key(string name, MapField<string, string> tags)
    {
        var measurement = WithoutEnd(name);
        if (measurement.IsEmpty || measurement[0] == '#')
        {
            Reason = RejectionReason.WrongName;
            return false;
        }

        Name(measurement, InMeasurement);
        Tags(tags);
        return true;
    }

    private bool End(int start, bool hasFields, Timestamp? time)
    {
        if (!hasFields || time is null || time.Seconds is > MaxSeconds or < -MaxSeconds)
        {
            Reason = hasFields ? RejectionReason.WrongTime : Reason;
            _length = start;
            return false;
        }

        Byte((byte)' ');
        Number((time.Seconds * 1_000_000_000) + time.Nanos, default);
        Byte((byte)'\n');
        return true;
    }

    /// <summary>Sorted by key, as servers store them.</summary>
    private void Tags(MapField<string, string> tags)
    {
        _tags.Clear();
        var isSorted = true;
        foreach (var tag in tags)
        {
            isSorted &= _tags.Count == 0 || string.CompareOrdinal(_tags[^1].Key, tag.Key) < 0;
            _tags.Add(tag);
        }

        if (!isSorted)
            _tags.Sort(static (left, right) => string.CompareOrdinal(left.Key, right.Key));
        foreach (var (key, value) in _tags)
        {
            var name = WithoutEnd(key);
            var text = WithoutEnd(value);
            if (text.IsEmpty || name is "" or "time")
                continue;

            Byte((byte)',');
            Name(name, InKey);
            Byte((byte)'=');
            Name(text, InKey);
        }
    }

    private void Value(Field field)
    {
        switch (field.ValueCase)
        {
            case Field.ValueOneofCase.FloatValue:
                Float(field.FloatValue);
                break;
            case Field.ValueOneofCase.IntValue:
                Integer(field.IntValue);
                break;
            case Field.ValueOneofCase.BoolValue:
                Text(field.BoolValue ? "true" : "false");
                break;
            default:
                Byte((byte)'"');
                Text(field.StringValue.Replace("\\", @"\\").Replace("\"", "\\\""));
                Byte((byte)'"');
                break;
        }
    }

    private void Name(ReadOnlySpan<char> name, SearchValues<char> escaped)
    {
        while (name.IndexOfAny(Special) is var special and >= 0)
        {
            Text(name[..special]);
            if (!char.IsControl(name[special]))
            {
                if (escaped.Contains(name[special]))
                    Byte((byte)'\\');
                Byte((byte)name[special]);
            }

            name = name[(special + 1)..];
        }

        Text(name);
    }

    private void Text(ReadOnlySpan<char> text) => _length += Encoding.UTF8.GetBytes(text, Room(Encoding.UTF8.GetMaxByteCount(text.Length)));

    private void Byte(byte value)
    {
        Room(1)[0] = value;
        _length++;
    }

    /// <summary>Without exponent, which not every server reads.</summary>
    private void Float(double value) =>
        Number(value, Math.Abs(value) is 0 or (>= 1e-4 and < 1e15) ? default : "0.################");

    private void Integer(long value)
    {
        Number(value, default);
        Byte((byte)'i');
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _length += bytes.Length;
    }

    private void Number<T>(T value, ReadOnlySpan<char> format)
        where T : IUtf8SpanFormattable
    {
        value.TryFormat(Room(MaxNumberLength), out var written, format, CultureInfo.InvariantCulture);
        _length += written;
    }

    private Span<byte> Room(int length)
    {
        if (_buffer.Length - _length < length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * _buffer.Length, _length + length));
            Lines.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsSpan(_length);
    }

    private bool IsWritable(Field field)
    {
        switch (field.ValueCase)
        {
            case Field.ValueOneofCase.FloatValue when !double.IsFinite(field.FloatValue):
                Reason = RejectionReason.NotFinite;
                return false;
            case Field.ValueOneofCase.StringValue when Encoding.UTF8.GetByteCount(field.StringValue) > MaxText:
                Reason = RejectionReason.TooBig;
                return false;
            default:
                return field.ValueCase != Field.ValueOneofCase.None;
        }
    }

    /// <summary>A backslash before a separator would escape it.</summary>
    private static ReadOnlySpan<char> WithoutEnd(string name) => name.AsSpan().TrimEnd('\\');
}
