using System.Collections.Immutable;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Layers;

/// <summary>What a vendor says of its layer, in TOML: who it is and what it owns.</summary>
/// <param name="Name">Null: not said.</param>
/// <param name="Version">Null: not said.</param>
/// <param name="Owner">Null: not said.</param>
public sealed record LayerFile(string? Name, string? Version, string? Owner, LayerClaims Claims)
{
    /// <param name="source">Names the text in errors.</param>
    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    public static LayerFile Parse(string text, string source)
    {
        var settings = SettingsFile.Parse(text, source);
        var file = new LayerFile(
            settings.TextOrNull("name"), settings.TextOrNull("version"), settings.TextOrNull("owner"), new LayerClaims(Owns(settings), Ports(settings)));
        settings.Complete();
        return file;
    }

    private static ImmutableArray<KeyPattern> Owns(SettingsSection settings)
    {
        var patterns = ImmutableArray.CreateBuilder<KeyPattern>();
        foreach (var text in settings.Texts("owns"))
        {
            try
            {
                patterns.Add(KeyPattern.Parse(text));
            }
            catch (FormatException e)
            {
                settings.Fail("owns", "has a pattern that can't be read: " + e.Message);
            }
        }

        return patterns.ToImmutable();
    }

    private static ImmutableArray<string> Ports(SettingsSection settings)
    {
        var ports = settings.Texts("ports");
        foreach (var port in ports.Where(port => !IsPort(port)))
            settings.Fail("ports", $"has '{EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(port))}'; write protocol and number, such as \"tcp/80\".");
        return [.. ports];
    }

    private static bool IsPort(string text) =>
        text.Split('/') is ["tcp" or "udp", var number]
        && ushort.TryParse(number, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port)
        && port > 0
        && number[0] != '0';
}

/// <summary>What belongs to a layer beyond the entries it writes.</summary>
/// <param name="Owns">Entries of any kind, with everything below them, as in a policy.</param>
/// <param name="Ports">That its programs listen on, such as <c>tcp/80</c>.</param>
public sealed record LayerClaims(ImmutableArray<KeyPattern> Owns, ImmutableArray<string> Ports)
{
    public static readonly LayerClaims Nothing = new([], []);

    /// <summary>How much of a key a claim names: the bytes of its longest pattern that matches, before any wildcard; -1 when none does.</summary>
    public int ClaimOn(EntryKind kind, ReadOnlySpan<byte> key)
    {
        var longest = -1;
        foreach (var pattern in Owns)
        {
            if (pattern.Literal.Length > longest && pattern.Matches(kind, key))
                longest = pattern.Literal.Length;
        }

        return longest;
    }
}
