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
/// What the servers refuse, or read in different ways, is not written: NaN and infinities, empty tags, a tag or field named
/// <c>time</c>, tags that are there twice, control characters outside string values, backslashes before what is escaped,
/// points without a field, series with keys of more than 64 KiB. In a stream of points nothing is allocated.
/// </remarks>
internal sealed class LineProtocol : IDisposable
{
    /// <summary>Nanoseconds since 1970 in 64 bits end in the year 2262; before that, room for parts of a second.</summary>
    private const long MaxSeconds = long.MaxValue / 1_000_000_000 - 5;

    /// <summary>No number is longer, of any type.</summary>
    private const int MaxNumberLength = 32;

    /// <summary>Of measurement and tags, in bytes: what InfluxDB has for its length is 16 bits.</summary>
    private const int MaxKey = 65_535;

    private static readonly SearchValues<char> InMeasurement = SearchValues.Create(", ");
    private static readonly SearchValues<char> InKey = SearchValues.Create(",= ");
    /// <summary>In bytes: whole logs belong elsewhere.</summary>
    private const int MaxText = 64 * 1024;

    private static readonly SearchValues<char> Unclean =
        SearchValues.Create([.. Enumerable.Range(0, 256).Select(code => (char)code).Where(char.IsControl), '\\']);

    private static readonly SearchValues<char> InText = SearchValues.Create("\\\"");

    private KeyValuePair<string, string>[] _tags = new KeyValuePair<string, string>[16];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(8 * 1024);
    private int _length;

    /// <summary>Added to the time of every line.</summary>
    public TimeSpan Shift { get; init; }

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
        for (var i = 0; i < point.Fields.Count; i++)
        {
            var field = point.Fields[i];
            var name = Clean(field.Name);
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
    public bool Append(in EncodedSeries series, SeriesRow row, Timestamp? time)
    {
        var start = _length;
        Raw(series.Key.Span);
        var separator = (byte)' ';
        Reason = series.Fields.Floats.Length > 0 ? RejectionReason.NotFinite : RejectionReason.NoFields;
        for (var i = 0; i < series.Fields.Floats.Length; i++)
        {
            if (series.Fields.Floats[i].Length == 0 || !double.IsFinite(row.FloatValues[i]))
                continue;
            Byte(separator);
            Raw(series.Fields.Floats[i]);
            Float(row.FloatValues[i]);
            separator = (byte)',';
        }

        for (var i = 0; i < series.Fields.Ints.Length; i++)
        {
            if (series.Fields.Ints[i].Length == 0)
                continue;
            Byte(separator);
            Raw(series.Fields.Ints[i]);
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
        return new EncodedSeries(key, FieldNames.Of(series, EncodeField));
    }

    /// <summary>Where the first line ends, behind its end. A text in quotes may have line ends of its own.</summary>
    public static int FirstLine(ReadOnlySpan<byte> lines)
    {
        var (isKey, isText, isValue) = (true, false, false);
        for (var i = 0; i < lines.Length; i++)
        {
            // A quote is one of a text only where a value begins, and at its end: names may have some.
            var isFirst = isValue;
            isValue = false;
            switch (lines[i])
            {
                case (byte)'\\':
                    i++;
                    break;
                case (byte)' ' when isKey:
                    isKey = false;
                    break;
                case (byte)'=' when !isKey && !isText:
                    isValue = true;
                    break;
                case (byte)'"' when isText || isFirst:
                    isText = !isText;
                    break;
                case (byte)'\n' when !isText:
                    return i + 1;
            }
        }

        return lines.Length;
    }

    /// <summary>Begins anew, in the same buffer.</summary>
    public void Clear() => _length = 0;

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private byte[] EncodeField(string field)
    {
        var name = Clean(field);
        if (name is "" or "time")
            return [];

        _length = 0;
        Name(name, InKey);
        Byte((byte)'=');
        return Lines.ToArray();
    }

    private bool Key(string name, MapField<string, string> tags)
    {
        var start = _length;
        var measurement = Clean(name);
        if (measurement.Length == 0 || measurement[0] == '#')
        {
            Reason = RejectionReason.WrongName;
            return false;
        }

        Name(measurement, InMeasurement);
        Tags(tags);
        if (_length - start <= MaxKey)
            return true;
        _length = start;
        Reason = RejectionReason.TooBig;
        return false;
    }

    private bool End(int start, bool hasFields, Timestamp? time)
    {
        if (!hasFields || time is null || time.Seconds is > MaxSeconds or < -MaxSeconds || time.Seconds + (Shift.Ticks / TimeSpan.TicksPerSecond) is > MaxSeconds or < -MaxSeconds)
        {
            Reason = hasFields ? RejectionReason.WrongTime : Reason;
            _length = start;
            return false;
        }

        Byte((byte)' ');
        Number((time.Seconds * 1_000_000_000) + time.Nanos + (Shift.Ticks * TimeSpan.NanosecondsPerTick), default);
        Byte((byte)'\n');
        return true;
    }

    /// <summary>Sorted by the bytes of their keys, as servers store them.</summary>
    private void Tags(MapField<string, string> tags)
    {
        var count = tags.Count;
        if (_tags.Length < count)
            _tags = new KeyValuePair<string, string>[count];
        ((ICollection<KeyValuePair<string, string>>)tags).CopyTo(_tags, 0);
        var sorted = _tags.AsSpan(0, count);
        var isSorted = true;
        for (var i = 0; i < count; i++)
        {
            sorted[i] = new(Clean(sorted[i].Key), Clean(sorted[i].Value));
            isSorted &= i == 0 || CompareBytes(sorted[i - 1].Key, sorted[i].Key) < 0;
        }

        if (!isSorted)
            sorted.Sort(static (left, right) => CompareBytes(left.Key, right.Key));
        var last = "";
        foreach (var (key, value) in sorted)
        {
            // Two that differed before they were cleaned are one to a server.
            if (value.Length == 0 || key is "" or "time" || key == last)
                continue;

            last = key;
            Byte((byte)',');
            Name(key, InKey);
            Byte((byte)'=');
            Name(value, InKey);
        }

        sorted.Clear();
    }

    /// <summary>In the order of their UTF-8, where surrogates, which UTF-16 has before U+E000, come last.</summary>
    private static int CompareBytes(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
            return left.Length - right.Length;
        return Rank(left[common]) - Rank(right[common]);

        static int Rank(char letter) => letter < 0xD800 ? letter : letter < 0xE000 ? letter + 0x10000 : letter;
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
                Quoted(field.StringValue);
                break;
        }
    }

    private void Quoted(ReadOnlySpan<char> text)
    {
        Byte((byte)'"');
        while (text.IndexOfAny(InText) is var special and >= 0)
        {
            Text(text[..special]);
            Byte((byte)'\\');
            Byte((byte)text[special]);
            text = text[(special + 1)..];
        }

        Text(text);
        Byte((byte)'"');
    }

    /// <param name="name">Clean.</param>
    private void Name(ReadOnlySpan<char> name, SearchValues<char> escaped)
    {
        while (name.IndexOfAny(escaped) is var special and >= 0)
        {
            Text(name[..special]);
            Byte((byte)'\\');
            Byte((byte)name[special]);
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

    /// <summary>As short as it is the same number when it is read.</summary>
    private void Float(double value) => Number(value, default);

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

    /// <summary>
    /// Without control characters, and without backslashes before what will be escaped and at the end: to one server the first of
    /// two backslashes escapes the second, to another it does not.
    /// </summary>
    private static string Clean(string name)
    {
        if (name.AsSpan().IndexOfAny(Unclean) < 0)
            return name;

        var clean = new StringBuilder(name.Length);
        foreach (var letter in name.Where(letter => !char.IsControl(letter)))
        {
            if (letter is ',' or '=' or ' ')
                TrimEnd(clean);
            clean.Append(letter);
        }

        TrimEnd(clean);
        return clean.ToString();

        static void TrimEnd(StringBuilder text)
        {
            while (text.Length > 0 && text[^1] == '\\')
                text.Length--;
        }
    }
}
