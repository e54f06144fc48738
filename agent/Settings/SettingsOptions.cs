using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Agent.Settings;

/// <summary>What this machine allows to be parsed, whatever a policy says: <c>[settings]</c>.</summary>
internal sealed record SettingsOptions
{
    /// <summary>Patterns of files. Not set: what the shipped policy lists.</summary>
    public required IReadOnlyList<KeyPattern> Allow { get; init; }

    public static SettingsOptions Read(SettingsSection settings) => new()
    {
        Allow = settings.TextsOrNull("allow") is { } texts
            ? [.. texts.Select(text => Pattern(settings, text)).OfType<KeyPattern>()]
            : [.. ShippedPolicies.Default.Settings.SelectMany(files => files.Match)],
    };

    private static KeyPattern? Pattern(SettingsSection settings, string text)
    {
        try
        {
            var pattern = KeyPattern.Parse(text);
            if (pattern.Kind == EntryKind.File)
                return pattern;
            settings.Fail("allow", $"has '{text}'; write paths, such as [\"/etc/ssh/sshd_config\"].");
        }
        catch (FormatException e)
        {
            settings.Fail("allow", "has a pattern that can't be read: " + e.Message);
        }

        return null;
    }
}
