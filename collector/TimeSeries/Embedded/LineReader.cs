using System.Buffers.Text;
using System.Text;

namespace Telemetry.Collector.TimeSeries.Embedded;

/// <summary>One line of the line protocol, as <see cref="LineProtocol"/> writes them: its series, its numbers, its time.</summary>
/// <remarks>Texts are stepped over: of those nobody makes a mean.</remarks>
internal ref struct LineReader
{
    private readonly ReadOnlySpan<byte> _line;
    private ReadOnlySpan<byte> _value;
    private int _at;

    /// <param name="line">With or without its end.</param>
    /// <exception cref="InvalidDataException">It is no line.</exception>
    public LineReader(ReadOnlySpan<byte> line)
    {
        _line = line.TrimEnd((byte)'\n');
        _at = EndOf((byte)' ');
        Series = _line[.._at];
        var time = _line[(_line.LastIndexOf((byte)' ') + 1)..];
        if (Series.IsEmpty || !Utf8Parser.TryParse(time, out long nanoseconds, out var length) || length != time.Length || time.Length == _line.Length)
            throw new InvalidDataException("a line without a series or a time");
        Milliseconds = nanoseconds / 1_000_000;
        _line = _line[..^(time.Length + 1)];
    }

    /// <summary>Measurement and tags, escaped.</summary>
    public ReadOnlySpan<byte> Series { get; }

    public long Milliseconds { get; }

    /// <summary>The field's name, escaped.</summary>
    public ReadOnlySpan<byte> Field { get; private set; }

    public double Value { get; private set; }

    /// <summary>Fields that <see cref="Next"/> stepped over.</summary>
    public int Texts { get; private set; }

    /// <summary>The next field that is a number, or was true or false.</summary>
    /// <exception cref="InvalidDataException">It is no line.</exception>
    public bool Next()
    {
        while (NextField())
        {
            if (_value.StartsWith("\""u8))
            {
                Texts++;
                continue;
            }

            Value = Number(_value);
            return true;
        }

        return false;
    }

    /// <summary>The next field, a text or not. Its value is not looked at.</summary>
    /// <exception cref="InvalidDataException">It is no line.</exception>
    public bool NextField()
    {
        if (_at >= _line.Length)
            return false;
        var start = ++_at;
        _at = EndOf((byte)'=');
        Field = _line[start.._at];
        if (++_at >= _line.Length)
            throw new InvalidDataException("a field without a value");
        start = _at;
        if (_line[_at] == (byte)'"')
            SkipText();
        else
            _at = _line[start..].IndexOf((byte)',') is >= 0 and var length ? start + length : _line.Length;
        _value = _line[start..Math.Min(_at, _line.Length)];
        return true;
    }

    /// <summary>The measurement and tags of a series, as they were before they were escaped.</summary>
    public static (string Measurement, Dictionary<string, string> Tags) Split(ReadOnlySpan<byte> series)
    {
        var parts = new List<string>();
        var part = new StringBuilder();
        var text = Encoding.UTF8.GetString(series);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is ',' or '=' or ' ')
            {
                part.Append(text[++i]);
            }
            else if (text[i] == ',' || (text[i] == '=' && parts.Count % 2 == 1))
            {
                parts.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(text[i]);
            }
        }

        parts.Add(part.ToString());
        var tags = new Dictionary<string, string>();
        for (var i = 1; i + 1 < parts.Count; i += 2)
            tags[parts[i]] = parts[i + 1];
        return (parts[0], tags);
    }

    public static string Unescaped(ReadOnlySpan<byte> name) => Split(name).Measurement;

    private static double Number(ReadOnlySpan<byte> text)
    {
        if (text.EndsWith("i"u8))
            text = text[..^1];
        if (Utf8Parser.TryParse(text, out double number, out var length) && length == text.Length)
            return number;
        return text.SequenceEqual("true"u8) ? 1 : text.SequenceEqual("false"u8) ? 0 : throw new InvalidDataException("a field with neither a number nor a text");
    }

    private void SkipText()
    {
        for (_at++; _at < _line.Length && _line[_at] != (byte)'"'; _at++)
        {
            if (_line[_at] == (byte)'\\')
                _at++;
        }

        _at++;
    }

    /// <summary>Where a character is next that has no backslash before it: servers look at no more than that either.</summary>
    private readonly int EndOf(byte character)
    {
        for (var i = _at; i < _line.Length; i++)
        {
            if (_line[i] == character && (i == 0 || _line[i - 1] != (byte)'\\'))
                return i;
        }

        throw new InvalidDataException("a line that ends too early");
    }
}
