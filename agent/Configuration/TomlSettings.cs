using System.Collections;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Telemetry.Agent.Configuration;

/// <summary>All settings of a TOML text and of the environment, flat, each with its place.</summary>
/// <remarks>Read from the syntax tree, which knows its lines, rather than into objects, which do not.</remarks>
internal static class TomlSettings
{
    private const string EnvironmentPrefix = "TELEMETRY_AGENT__";

    public static List<Setting> OfFile(string text, string file, List<string> mistakes)
    {
        var document = SyntaxParser.Parse(text, file);
        foreach (var diagnostic in document.Diagnostics)
            mistakes.Add($"{file}:{diagnostic.Span.Start.Line + 1}: {diagnostic.Message}");

        var settings = new List<Setting>();
        if (document.HasErrors)
            return settings;

        foreach (var pair in document.KeyValues)
            Add(settings, "", pair, file, mistakes);
        foreach (var table in document.Tables)
        {
            if (table is TableArraySyntax)
                mistakes.Add($"{Place(file, table)}: [[{KeyText(table.Name)}]] is unknown; there are no arrays of tables in this file.");
            foreach (var pair in table.Items)
                Add(settings, KeyText(table.Name) + ".", pair, file, mistakes);
            if (!table.Items.Any())
                settings.Add(new Setting(KeyText(table.Name) + ".", Place(file, table), new StringValueSyntax("")));
        }

        return settings;
    }

    /// <summary>Variables such as <c>TELEMETRY_AGENT__HEALTH__INTERVAL</c>: a TOML value, else a string.</summary>
    public static List<Setting> OfEnvironment(IDictionary variables)
    {
        var settings = new List<Setting>();
        foreach (DictionaryEntry variable in variables)
        {
            if (variable is not { Key: string name, Value: string value } || !name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal))
                continue;

            var path = name[EnvironmentPrefix.Length..].Replace("__", ".", StringComparison.Ordinal).ToLowerInvariant();
            settings.Add(new Setting(path, "environment variable " + name, ValueOf(value), value));
        }

        return settings;
    }

    private static ValueSyntax ValueOf(string text)
    {
        var document = SyntaxParser.Parse("value = " + text, "");
        return !document.HasErrors && !text.Contains('\n') && document.KeyValues.FirstOrDefault()?.Value is { } value
            ? value
            : new StringValueSyntax(text);
    }

    private static void Add(List<Setting> settings, string prefix, KeyValueSyntax pair, string file, List<string> mistakes)
    {
        if (pair.Key is null || pair.Value is null)
        {
            mistakes.Add($"{Place(file, pair)}: a key needs a value.");
            return;
        }

        var path = prefix + KeyText(pair.Key);
        if (pair.Value is InlineTableSyntax table)
        {
            foreach (var item in table.Items)
            {
                if (item.KeyValue is { } inner)
                    Add(settings, path + ".", inner, file, mistakes);
            }
        }
        else
        {
            settings.Add(new Setting(path, Place(file, pair), pair.Value));
        }
    }

    private static string Place(string file, SyntaxNode node) => $"{file}:{node.Span.Start.Line + 1}";

    private static string KeyText(KeySyntax? key)
    {
        if (key is null)
            return "";
        var parts = new List<string> { PartText(key.Key) };
        foreach (var part in key.DotKeys)
            parts.Add(PartText(part.Key));
        return string.Join('.', parts);
    }

    private static string PartText(BareKeyOrStringValueSyntax? part) => part switch
    {
        StringValueSyntax text => text.Value ?? "",
        BareKeySyntax bare => bare.Key?.Text ?? "",
        _ => "",
    };
}
