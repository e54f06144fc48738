using Tomlyn;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Telemetry.Protocol.Configuration;

/// <summary>Reads one TOML file and the environment variables that override it into <see cref="SettingsSection"/>.</summary>
/// <remarks>
/// An override is named like its key, in capitals, with a double underscore between levels: <c>PREFIX__WATCH__EXCLUDE</c>.
/// Its text is a TOML value, else a string. Arrays of tables cannot be overridden.
/// </remarks>
public static class SettingsFile
{
    // Of a name; no setting has more than three parts.
    private const int MaxDepth = 16;

    /// <param name="path">The file; null for a program that runs on defaults and overrides.</param>
    /// <param name="environmentPrefix">Such as <c>TELEMETRY_AGENT__</c>.</param>
    /// <exception cref="ConfigurationException">The file cannot be read, or is not TOML.</exception>
    public static SettingsSection Load(string? path, string environmentPrefix, IReadOnlyDictionary<string, string> environment)
    {
        var mistakes = new Mistakes();
        var root = new SettingsSection("", new Place(path ?? "the defaults", 0), mistakes);
        if (path is not null)
            Read(TextOf(path), path, root, mistakes);

        foreach (var (name, value) in environment.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(environmentPrefix, StringComparison.Ordinal) && name.Length > environmentPrefix.Length)
                Override(root, name, name[environmentPrefix.Length..].ToLowerInvariant().Split("__"), value, mistakes);
        }

        return root;
    }

    /// <summary>Settings from a text that is at hand.</summary>
    /// <param name="source">Names the text in mistakes.</param>
    /// <exception cref="ConfigurationException">It is not TOML.</exception>
    public static SettingsSection Parse(string text, string source)
    {
        var mistakes = new Mistakes();
        var root = new SettingsSection("", new Place(source, 0), mistakes);
        Read(text, source, root, mistakes);
        return root;
    }

    /// <summary>The environment of this process.</summary>
    public static IReadOnlyDictionary<string, string> Environment() =>
        System.Environment.GetEnvironmentVariables()
            .Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value ?? "", StringComparer.Ordinal);

    private static string TextOf(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"{path} cannot be read: {e.Message}"]);
        }
    }

    private static void Read(string text, string path, SettingsSection root, Mistakes mistakes)
    {
        var document = ParseText(text, path);
        if (document.HasErrors)
        {
            throw new ConfigurationException(
                [.. document.Diagnostics.OrderBy(error => error.Span.Start.Line).Select(error => $"{path}:{error.Span.Start.Line + 1}: {error.Message}")]);
        }

        AddAll(root, document.KeyValues, path, mistakes);
        foreach (var table in document.Tables)
        {
            var place = PlaceOf(path, table);
            var names = Names(table.Name!, place);
            var section = names.Take(names.Count - 1).Aggregate(root, (current, name) => current.Nested(name, place));
            section = table is TableArraySyntax ? section.AddElement(names[^1], place) : section.Nested(names[^1], place);
            AddAll(section, table.Items, path, mistakes);
        }
    }

    private static void AddAll(SettingsSection section, IEnumerable<KeyValueSyntax> pairs, string path, Mistakes mistakes)
    {
        foreach (var pair in pairs)
        {
            var place = PlaceOf(path, pair);
            var names = Names(pair.Key!, place);
            var target = names.Take(names.Count - 1).Aggregate(section, (current, name) => current.Nested(name, place));
            Add(target, names[^1], pair.Value!, path, place, mistakes);
        }
    }

    private static void Add(SettingsSection section, string name, ValueSyntax value, string path, Place place, Mistakes mistakes)
    {
        if (value is InlineTableSyntax table)
            AddAll(section.Nested(name, place), table.Items.Select(item => item.KeyValue!), path, mistakes);
        else if (!section.Put(name, ValueOf(value), place))
            mistakes.Add(place, $"{name} is set twice.");
    }

    private static void Override(SettingsSection root, string variable, string[] names, string text, Mistakes mistakes)
    {
        var place = new Place("environment variable " + variable, 0);
        var section = root;
        foreach (var name in names[..^1])
        {
            if (section.HasElements(name))
            {
                mistakes.Add(place, $"the tables of [[{name}]] cannot be overridden; edit the file.");
                return;
            }

            section = section.Nested(name, place);
        }

        var parsed = ParseText("value = " + text, variable);
        var pair = parsed.HasErrors || parsed.Tables.ChildrenCount > 0 || parsed.KeyValues.ChildrenCount != 1 ? null : parsed.KeyValues.GetChild(0);
        section.Remove(names[^1]);
        if (pair?.Value is { } value)
            Add(section, names[^1], value, place.Source, place, mistakes);
        else
            section.Put(names[^1], text, place);
    }

    /// <summary>A string, long, double, bool, or a list of such; anything else as its text, which no setting accepts.</summary>
    private static object ValueOf(ValueSyntax value) => value switch
    {
        StringValueSyntax text => text.Value ?? "",
        IntegerValueSyntax number => number.Value,
        FloatValueSyntax number => number.Value,
        BooleanValueSyntax flag => flag.Value,
        ArraySyntax array => array.Items.Select(item => ValueOf(item.Value!)).ToList(),
        _ => new SettingsSection.Unreadable(value.ToString() ?? ""),
    };

    private static List<string> Names(KeySyntax key, Place place) => key.DotKeys.ChildrenCount < MaxDepth
        ? [NameOf(key.Key!), .. key.DotKeys.Select(item => NameOf(item.Key!))]
        : throw new ConfigurationException([$"{place}: a name of more than {MaxDepth} parts is none."]);

    private static string NameOf(BareKeyOrStringValueSyntax key) => key switch
    {
        BareKeySyntax bare => bare.Key?.Text ?? "",
        StringValueSyntax text => text.Value ?? "",
        _ => key.ToString() ?? "",
    };

    private static Place PlaceOf(string path, SyntaxNodeBase node) => new(path, node.Span.Start.Line + 1);

    /// <exception cref="ConfigurationException">It is nested more deeply than the parser goes; other errors are in the document.</exception>
    private static DocumentSyntax ParseText(string text, string source)
    {
        try
        {
            return SyntaxParser.Parse(text, source);
        }
        catch (TomlException e)
        {
            throw new ConfigurationException([$"{source}: it can't be read as TOML: lists and tables are nested too deeply. ({e.Message.Split('.')[0]}.)"]);
        }
    }
}

/// <summary>A configuration nobody can start with. Every mistake is named with its place, one a line.</summary>
public sealed class ConfigurationException(IReadOnlyList<string> mistakes) : Exception(Text(mistakes))
{
    // A file that is no configuration at all has a mistake on every line.
    private const int MaxShown = 20;

    public IReadOnlyList<string> Mistakes { get; } = mistakes;

    private static string Text(IReadOnlyList<string> mistakes) => mistakes.Count <= MaxShown
        ? string.Join('\n', mistakes)
        : string.Join('\n', mistakes.Take(MaxShown).Append($"… and {mistakes.Count - MaxShown} more."));
}
