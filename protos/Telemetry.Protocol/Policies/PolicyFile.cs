using System.Collections.Immutable;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>Reads policies as people write them: TOML.</summary>
public static class PolicyFile
{
    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    public static Policy Load(string path) => Read(SettingsFile.Load(path, "", Nothing));

    /// <param name="source">Names the text in errors.</param>
    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    public static Policy Parse(string text, string source) => Read(SettingsFile.Parse(text, source));

    private static IReadOnlyDictionary<string, string> Nothing => ImmutableDictionary<string, string>.Empty;

    private static Policy Read(SettingsSection settings)
    {
        var name = settings.Text("name", "");
        if (!IsName(name))
            settings.Fail("name", $"{(name.Length == 0 ? "must be given" : $"is '{Shown(name)}'; it must be one word")}: lower-case letters, digits, '-' and '_', 60 at most.");

        var rules = settings.Elements("rules").Select(Rule).OfType<PolicyRule>().ToList();
        foreach (var profile in settings.Texts("profiles"))
        {
            if (ShippedPolicies.FindProfile(profile) is { } shipped)
                rules.AddRange(shipped.Rules);
            else
                settings.Fail("profiles", $"has '{profile}'; there is {string.Join(", ", ShippedPolicies.ProfileNames)}.");
        }

        var policy = new Policy
        {
            Name = name,
            Include = Paths(settings, "include") is { Length: > 0 } include ? include : [EntryKey.Root],
            Exclude = Paths(settings, "exclude"),
            OneFilesystem = settings.Flag("one_filesystem", true),
            Settings = [.. settings.Elements("settings").Select(SettingsOf).OfType<SettingsFiles>()],
            Sysctls = Sysctls(settings),
            Critical = settings.Texts("critical").Count > 0 ? PathPatterns(settings, "critical", "/etc") : [],
            Rules = [.. rules],
        };
        settings.Complete();
        return policy;
    }

    private static string Shown(string text) => EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(text));

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 60 && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '_');

    private static PolicyRule? Rule(SettingsSection settings)
    {
        var match = Patterns(settings, "match");
        var treat = settings.Text("treat", "full");
        var treatment = Treatments.Parse(treat);
        if (treatment is null)
            settings.Fail("treat", $"is '{treat}'; it must be one of {string.Join(", ", Treatments.Names)}.");

        var severity = SeverityOf(settings);
        return match.IsEmpty ? null : new PolicyRule(match, treatment ?? Treatment.Full, severity);
    }

    /// <returns>Null when it is not set, or is none.</returns>
    internal static Severity? SeverityOf(SettingsSection settings)
    {
        if (settings.TextOrNull("severity") is not { } text)
            return null;
        if (Enum.TryParse<Severity>(text, ignoreCase: true, out var given) && !int.TryParse(text, out _))
            return given;
        settings.Fail("severity", $"is '{Shown(text)}'; it must be one of info, low, medium, high, critical.");
        return null;
    }

    internal static SettingsFiles? SettingsOf(SettingsSection settings)
    {
        var files = PathPatterns(settings, "files", "/etc/ssh/sshd_config");

        var format = settings.Text("format", "");
        if (!SettingsFormats.Names.Contains(format))
            settings.Fail("format", $"is '{format}'; it must be one of {string.Join(", ", SettingsFormats.Names)}.");
        return files.IsEmpty ? null : new SettingsFiles(files, format);
    }

    private static ImmutableArray<KeyPattern> PathPatterns(SettingsSection settings, string name, string example)
    {
        var patterns = Patterns(settings, name);
        if (patterns.Any(pattern => pattern.Kind != EntryKind.File))
            settings.Fail(name, $"must be paths, such as [\"{example}\"].");
        return patterns;
    }

    internal static ImmutableArray<KeyPattern> Patterns(SettingsSection settings, string name)
    {
        var patterns = ImmutableArray.CreateBuilder<KeyPattern>();
        foreach (var text in settings.Texts(name))
        {
            try
            {
                patterns.Add(KeyPattern.Parse(text));
            }
            catch (FormatException e)
            {
                settings.Fail(name, "has a pattern that can't be read: " + e.Message);
            }
        }

        if (settings.Texts(name).Count == 0)
            settings.Fail(name, "must have at least one pattern, such as \"/etc/ssh\" or \"package:dpkg/linux-image-*\".");
        return patterns.ToImmutable();
    }

    private static ImmutableArray<SysctlPattern> Sysctls(SettingsSection settings)
    {
        var names = ImmutableArray.CreateBuilder<SysctlPattern>();
        foreach (var name in settings.Texts("sysctls"))
        {
            if (IsSysctl(name))
                names.Add(SysctlPattern.Parse(name));
            else
                settings.Fail("sysctls", $"has '{Shown(name)}'; write names with dots, such as \"net.ipv4.ip_forward\" or \"kernel.yama.*\".");
        }

        return names.ToImmutable();
    }

    private static bool IsSysctl(string name) =>
        name.Length > 0 && !name.Contains('/') && EscapedText.IsPlain(name) && name.Split('.').All(part => part.Length > 0);

    private static ImmutableArray<EntryKey> Paths(SettingsSection settings, string name)
    {
        var paths = settings.Texts(name);
        foreach (var path in paths.Where(path => !ScopePath.IsValid(path)))
            settings.Fail(name, ScopePath.Mistake(path));
        return [.. paths.Where(ScopePath.IsValid).Select(EntryKey.OfPath)];
    }
}
