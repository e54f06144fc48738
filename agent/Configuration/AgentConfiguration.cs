using System.Collections;
using System.Globalization;
using Tomlyn.Syntax;

namespace Telemetry.Agent.Configuration;

/// <summary>From a file and the environment to <see cref="AgentOptions"/>; reports all mistakes at once.</summary>
internal sealed class AgentConfiguration
{
    private const string TagsPrefix = "instance.tags.";

    private static readonly string[] Known =
    [
        "collector", "root", "state_directory",
        "instance.name", "instance.group", "instance.customer", "instance.tags",
        "watch.include", "watch.exclude",
        "scan.interval",
        "health.interval",
    ];

    private static readonly string[] Sections = ["instance", "instance.tags", "watch", "scan", "health"];

    private readonly List<string> _mistakes = [];
    private readonly Dictionary<string, Setting> _settings = new(StringComparer.Ordinal);

    private AgentConfiguration()
    {
    }

    /// <exception cref="ConfigurationException">Whatever is wrong, all of it.</exception>
    public static AgentOptions Load(string file, IDictionary environment)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                [$"{file}: can't be read ({e.Message}). Copy the shipped example agent.toml there, or name another file with --config."]);
        }

        return Parse(text, file, environment);
    }

    /// <param name="file">For people: where the text is from.</param>
    /// <exception cref="ConfigurationException">Whatever is wrong, all of it.</exception>
    public static AgentOptions Parse(string text, string file, IDictionary environment)
    {
        var configuration = new AgentConfiguration();
        configuration.Collect(TomlSettings.OfFile(text, file, configuration._mistakes));
        configuration.Collect(TomlSettings.OfEnvironment(environment));
        var options = configuration.ToOptions();
        return configuration._mistakes.Count == 0 ? options : throw new ConfigurationException(configuration._mistakes);
    }

    private AgentOptions ToOptions()
    {
        var defaults = new AgentOptions();
        return new AgentOptions
        {
            Collector = Collector(),
            Root = AbsolutePath("root", defaults.Root),
            StateDirectory = AbsolutePath("state_directory", defaults.StateDirectory),
            Instance = new()
            {
                Name = Text("instance.name", ""),
                Group = Text("instance.group", ""),
                Customer = Text("instance.customer", ""),
                Tags = _settings.Values.Where(setting => IsTag(setting.Path))
                    .ToDictionary(setting => setting.Path[TagsPrefix.Length..], setting => Text(setting.Path, "")),
            },
            Watch = new() { Include = Paths("watch.include"), Exclude = Paths("watch.exclude") },
            Scan = new() { Interval = Interval("scan.interval", defaults.Scan.Interval) },
            Health = new() { Interval = Interval("health.interval", defaults.Health.Interval) },
        };
    }

    private void Collect(IEnumerable<Setting> settings)
    {
        foreach (var setting in settings)
        {
            var name = setting.Path.TrimEnd('.');
            if (IsKnown(setting.Path) || (name != setting.Path && Sections.Contains(name)))
                _settings[setting.Path] = setting;
            else if (name != setting.Path)
                _mistakes.Add($"{setting.Place}: unknown section [{name}].{Suggestion(name, Sections)}");
            else
                _mistakes.Add($"{setting.Place}: unknown key '{name}'.{Suggestion(name, Known)}");
        }
    }

    private static bool IsKnown(string path) => (path != "instance.tags" && Known.Contains(path)) || IsTag(path);

    private static bool IsTag(string path) => path.StartsWith(TagsPrefix, StringComparison.Ordinal) && path.Length > TagsPrefix.Length;

    private static string Suggestion(string path, string[] known)
    {
        // The right key in the wrong section is the commonest mistake after a slip of the finger.
        var last = path[(path.LastIndexOf('.') + 1)..];
        var moved = known.Where(name => name == last || name.EndsWith("." + last, StringComparison.Ordinal)).Take(2).ToList();
        var meant = NearestName.Of(path, known) ?? (moved.Count == 1 ? moved[0] : null) ?? NearestName.Of(last, known);
        return meant is null ? $" Known are {string.Join(", ", known)}." : $" Did you mean '{meant}'?";
    }

    private Uri? Collector()
    {
        if (!_settings.TryGetValue("collector", out var setting))
            return null;

        if (OwnText(setting) is not { } text)
            return null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            return Wrong<Uri>(setting, $"'{text}' is not a URL. Write it like \"http://127.0.0.1:7443\".");
        if (uri.Scheme == "https")
            return Wrong<Uri>(setting, "TLS to the collector isn't available in this version. Use http:// to a collector on this machine.");
        if (uri.Scheme != "http")
            return Wrong<Uri>(setting, $"the scheme '{uri.Scheme}' is not supported. Use http:// to a collector on this machine.");
        return uri.IsLoopback
            ? uri
            : Wrong<Uri>(setting, $"plain text would leave this machine on its way to '{uri.Host}'. Use http:// to a collector on this machine.");
    }

    private string AbsolutePath(string path, string fallback)
    {
        var text = Text(path, fallback);
        return Path.IsPathRooted(text) ? text : Wrong<string>(_settings[path], $"'{text}' must begin with a slash.") ?? fallback;
    }

    private TimeSpan Interval(string path, TimeSpan fallback)
    {
        if (!_settings.TryGetValue(path, out var setting))
            return fallback;

        if (OwnText(setting) is not { } text)
            return fallback;
        if (!Duration.TryParse(text, out var duration))
            return Wrong<TimeSpan>(setting, $"'{text}' is not a duration. Write it like \"10s\", \"5m\" or \"1h\".");
        return duration >= TimeSpan.FromSeconds(1) && duration <= TimeSpan.FromDays(1)
            ? duration
            : Wrong<TimeSpan>(setting, $"{text} is out of range. Choose something from \"1s\" to \"1d\".");
    }

    private List<string> Paths(string path)
    {
        var paths = new List<string>();
        if (!_settings.TryGetValue(path, out var setting))
            return paths;

        // One path in an environment variable needs no brackets.
        var items = setting.Value is ArraySyntax array ? array.Items.Select(item => item.Value) : [setting.Value];
        foreach (var item in items)
        {
            if (item is not StringValueSyntax { Value: { } text } || !text.StartsWith('/'))
                Wrong<string>(setting, $"{item?.ToString().Trim()} is not a path. Write paths as strings that begin with a slash, like [\"/etc\", \"/usr\"].");
            else if (text.Split('/').Any(part => part is "." or "..") || text.Contains('\0'))
                Wrong<string>(setting, $"'{text}' must not contain '.' or '..'.");
            else
                paths.Add(text);
        }

        return paths;
    }

    private string Text(string path, string fallback) =>
        _settings.TryGetValue(path, out var setting) ? OwnText(setting) ?? fallback : fallback;

    /// <returns>Null when it is no text; that is noted as a mistake.</returns>
    private string? OwnText(Setting setting) =>
        setting.Value is StringValueSyntax { Value: { } text }
            ? text
            : setting.Raw ?? Wrong<string>(setting, $"must be a string in quotes, not {setting.Value.ToString().Trim()}.");

    private T? Wrong<T>(Setting setting, string what)
    {
        _mistakes.Add(string.Create(CultureInfo.InvariantCulture, $"{setting.Place}: {setting.Path}: {what}"));
        return default;
    }
}
