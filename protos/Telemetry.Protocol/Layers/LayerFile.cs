using System.Collections.Immutable;
using System.Globalization;
using Telemetry.Protocol.Configuration;
using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;

namespace Telemetry.Protocol.Layers;

/// <summary>What a vendor ships with its layer, in TOML: who it is, what it owns, and what it knows of that.</summary>
/// <param name="Name">Null: not said.</param>
/// <param name="Version">Null: not said.</param>
/// <param name="Owner">Null: not said.</param>
/// <param name="Settings">Files worth parsing.</param>
/// <param name="Severities">Of what is the layer's own; the first that matches counts, and a policy's rule goes before it.</param>
public sealed record LayerFile(
    string? Name,
    string? Version,
    string? Owner,
    LayerClaims Claims,
    ImmutableArray<SettingsFiles> Settings,
    ImmutableArray<LayerSeverity> Severities,
    ImmutableArray<LayerCheck> Checks)
{
    public static readonly LayerFile Nothing = new(null, null, null, LayerClaims.Nothing, [], [], []);

    private const int MaxNameLength = 63;

    /// <param name="source">Names the text in errors.</param>
    /// <exception cref="ConfigurationException">With all mistakes at once.</exception>
    public static LayerFile Parse(string text, string source)
    {
        var settings = SettingsFile.Parse(text, source);
        var file = new LayerFile(
            Word(settings, "name", "._-"),
            Word(settings, "version", "._+~-"),
            Word(settings, "owner", "._-"),
            new LayerClaims(Owns(settings), Ports(settings)),
            [.. settings.Elements("settings").Select(PolicyFile.SettingsOf).OfType<SettingsFiles>()],
            [.. settings.Elements("severities").Select(SeverityOf).OfType<LayerSeverity>()],
            LayerCheck.All(settings));
        settings.Complete();
        return file;
    }

    /// <summary>Whether a layer, or an owner, may have that name.</summary>
    public static bool IsName(string text) => IsWord(text, "._-");

    private static bool IsWord(string text, string signs) =>
        text.Length is > 0 and <= MaxNameLength && char.IsAsciiLetterOrDigit(text[0]) && text.All(letter => char.IsAsciiLetterOrDigit(letter) || signs.Contains(letter));

    /// <returns>Null when it is not set, or is none.</returns>
    internal static string? Word(SettingsSection settings, string name, string signs)
    {
        if (settings.TextOrNull(name) is not { } text)
            return null;
        if (IsWord(text, signs))
            return text;
        settings.Fail(name, $"is '{EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(text))}'; write letters, digits and any of {string.Join(' ', signs.AsEnumerable())}, a letter or digit first, {MaxNameLength} at most.");
        return null;
    }

    private static LayerSeverity? SeverityOf(SettingsSection settings)
    {
        var match = PolicyFile.Patterns(settings, "match");
        var severity = PolicyFile.SeverityOf(settings);
        if (settings.TextOrNull("severity") is null)
            settings.Fail("severity", "must be given: info, low, medium, high or critical.");
        return match.IsEmpty || severity is null ? null : new LayerSeverity(match, severity.Value);
    }

    private static ImmutableArray<KeyPattern> Owns(SettingsSection settings) =>
        settings.TextsOrNull("owns") is { Count: > 0 } ? PolicyFile.Patterns(settings, "owns") : [];

    private static ImmutableArray<string> Ports(SettingsSection settings)
    {
        var ports = settings.Texts("ports");
        foreach (var port in ports.Where(port => !IsPort(port)))
            settings.Fail("ports", $"has '{EscapedText.Of(System.Text.Encoding.UTF8.GetBytes(port))}'; write protocol and number, such as \"tcp/80\".");
        return [.. ports];
    }

    private static bool IsPort(string text) =>
        text.Split('/') is ["tcp" or "udp", var number]
        && ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
        && port > 0
        && number[0] != '0';
}

/// <summary>How severe it is when entries of the layer differ.</summary>
public sealed record LayerSeverity(ImmutableArray<KeyPattern> Match, Severity Severity);
