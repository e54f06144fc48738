using System.Globalization;
using System.Net;

namespace Telemetry.Protocol.Configuration;

/// <summary>
/// One section of a configuration. Reading a setting declares it: what was never read is unknown, and reported with the
/// nearest name that was. Mistakes are gathered, not thrown, until <see cref="Complete"/>.
/// </summary>
public sealed class SettingsSection
{
    private readonly string _path;
    private readonly Place _place;
    private readonly Mistakes _mistakes;
    private readonly Dictionary<string, (object Value, Place Place)> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SettingsSection> _sections = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<SettingsSection>> _elements = new(StringComparer.Ordinal);
    private readonly HashSet<string> _declared = new(StringComparer.Ordinal);

    internal SettingsSection(string path, Place place, Mistakes mistakes)
    {
        _path = path;
        _place = place;
        _mistakes = mistakes;
    }

    /// <summary>Whether anything in this section is set.</summary>
    public bool IsEmpty => _values.Count == 0 && _sections.Count == 0 && _elements.Count == 0;

    public SettingsSection Section(string name)
    {
        _declared.Add(name);
        return Nested(name, _place);
    }

    /// <summary>The tables of <c>[[name]]</c>, in order.</summary>
    public IReadOnlyList<SettingsSection> Elements(string name)
    {
        _declared.Add(name);
        if (_values.ContainsKey(name))
            Fail(name, $"must be tables, each below a line [[{name}]].");
        return _elements.TryGetValue(name, out var elements) ? elements : [];
    }

    public string Text(string name, string fallback) => TextOrNull(name) ?? fallback;

    public string? TextOrNull(string name) =>
        Read(name, "a text in quotes", value => value as string);

    public bool Flag(string name, bool fallback) =>
        Read(name, "true or false", value => value as bool?) ?? fallback;

    public long Number(string name, long fallback, long least, long most) =>
        Read(name, $"a number from {least} to {most}", value => value is long number && number >= least && number <= most ? number : (long?)null)
        ?? fallback;

    /// <summary>A duration such as <c>10s</c>, <c>500ms</c>, <c>5m</c>, <c>24h</c> or <c>7d</c>.</summary>
    public TimeSpan Duration(string name, TimeSpan fallback, TimeSpan least, TimeSpan? most = null) =>
        Read(
            name,
            $"a duration {(most is { } limit ? $"from {DurationText.Of(least)} to {DurationText.Of(limit)}" : $"of at least {DurationText.Of(least)}")}, such as {DurationText.Examples(least, most ?? TimeSpan.MaxValue)}",
            value => value is string text && ParseDuration(text) is { } duration && duration >= least && duration <= (most ?? TimeSpan.MaxValue) ? duration : (TimeSpan?)null)
        ?? fallback;

    /// <summary>A size such as <c>512KiB</c>, <c>64MiB</c> or <c>1GiB</c>, in bytes.</summary>
    public long Size(string name, long fallback, long least) =>
        Read(name, $"a size of at least {least >> 10}KiB, such as \"512KiB\", \"64MiB\" or \"1GiB\"",
            value => value is string text && ParseSize(text) is { } size && size >= least ? size : (long?)null)
        ?? fallback;

    /// <summary>An address and port to listen on, such as <c>127.0.0.1:7080</c>; port 0 takes a free one.</summary>
    public IPEndPoint EndPoint(string name, IPEndPoint fallback) =>
        Read(name, "an address and port, such as \"127.0.0.1:7080\"",
            value => value is string text && text.Contains(':') && IPEndPoint.TryParse(text, out var endPoint) ? endPoint : null)
        ?? fallback;

    /// <summary>A list of texts; empty when it is not set.</summary>
    public IReadOnlyList<string> Texts(string name) => TextsOrNull(name) ?? [];

    /// <summary>A list of texts, or null when it is not set.</summary>
    public IReadOnlyList<string>? TextsOrNull(string name) =>
        Read(name, "a list of texts, such as [\"a\", \"b\"]",
            value => value is List<object> list && list.TrueForAll(item => item is string) ? list.Cast<string>().ToList() : null);

    /// <summary>All settings of a section as texts, for names that people choose.</summary>
    public IReadOnlyDictionary<string, string> Map(string name)
    {
        var section = Section(name);
        return section._values.Keys.ToDictionary(key => key, key => section.Text(key, ""), StringComparer.Ordinal);
    }

    /// <summary>Reports a mistake in a setting, at the place where it is set.</summary>
    public void Fail(string name, string mistake) =>
        _mistakes.Add(_values.TryGetValue(name, out var value) ? value.Place : _place, $"{FullName(name)} {mistake}");

    /// <summary>Called once on the root, after everything was read.</summary>
    /// <exception cref="ConfigurationException">With all mistakes.</exception>
    public void Complete()
    {
        FindUnknown();
        if (_mistakes.Count > 0)
            throw new ConfigurationException(_mistakes.InOrder());
    }

    internal bool Put(string name, object value, Place place) => _values.TryAdd(name, (value, place));

    internal void Remove(string name) => _values.Remove(name);

    internal bool HasElements(string name) => _elements.ContainsKey(name);

    internal SettingsSection Nested(string name, Place place)
    {
        if (_elements.TryGetValue(name, out var elements))
            return elements[^1];
        if (!_sections.TryGetValue(name, out var section))
            _sections[name] = section = new SettingsSection(FullName(name), place, _mistakes);
        return section;
    }

    internal SettingsSection AddElement(string name, Place place)
    {
        if (!_elements.TryGetValue(name, out var elements))
            _elements[name] = elements = [];
        var element = new SettingsSection(FullName(name), place, _mistakes);
        elements.Add(element);
        return element;
    }

    private T? Read<T>(string name, string expected, Func<object, T?> convert)
    {
        _declared.Add(name);
        if (!_values.TryGetValue(name, out var setting))
            return default;

        var value = convert(setting.Value);
        if (value is null)
            Fail(name, $"must be {expected}.");
        return value;
    }

    private void FindUnknown()
    {
        foreach (var (name, place) in _values.Select(value => (value.Key, value.Value.Place))
            .Concat(_sections.Select(section => (section.Key, section.Value._place)))
            .Concat(_elements.Select(elements => (elements.Key, elements.Value[0]._place))))
        {
            if (!_declared.Contains(name))
                _mistakes.Add(place, $"there is no setting {FullName(name)}; {Suggestion(name)}");
        }

        foreach (var section in _sections.Where(section => _declared.Contains(section.Key)).Select(section => section.Value)
            .Concat(_elements.Where(elements => _declared.Contains(elements.Key)).SelectMany(elements => elements.Value)))
        {
            section.FindUnknown();
        }
    }

    private string Suggestion(string name)
    {
        if (_declared.Count == 0)
            return "this section has none.";

        var nearest = _declared.MinBy(candidate => EditDistance.Between(candidate, name))!;
        var isNear = EditDistance.Between(nearest, name) <= Math.Max(2, name.Length / 3);
        nearest = isNear ? nearest : _declared.FirstOrDefault(candidate => candidate.StartsWith(name, StringComparison.Ordinal));
        return nearest is not null
            ? $"did you mean {FullName(nearest)}?"
            : $"there are {string.Join(", ", _declared.Order(StringComparer.Ordinal))}.";
    }

    private string FullName(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <returns>Null: the text is none, such as <c>90s</c> or <c>6h</c>.</returns>
    public static TimeSpan? ParseDuration(string text)
    {
        var unitStart = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (unitStart <= 0 || !long.TryParse(text.AsSpan(0, unitStart), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 1_000_000)
            return null;

        return text[unitStart..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            "d" => TimeSpan.FromDays(number),
            _ => null,
        };
    }

    private static long? ParseSize(string text)
    {
        var unitStart = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (unitStart <= 0 || !long.TryParse(text.AsSpan(0, unitStart), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 1_000_000)
            return null;

        return text[unitStart..] switch
        {
            "KiB" => number << 10,
            "MiB" => number << 20,
            "GiB" => number << 30,
            _ => null,
        };
    }

    /// <summary>A value of a type no setting has.</summary>
    internal sealed record Unreadable(string Text);
}
