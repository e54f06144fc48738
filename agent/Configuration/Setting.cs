using Tomlyn.Syntax;

namespace Telemetry.Agent.Configuration;

/// <summary>One key with its value, and where a person wrote it.</summary>
/// <param name="Path">Such as <c>health.interval</c>.</param>
/// <param name="Place">For people: file and line, or the environment variable.</param>
/// <param name="Raw">The text of an environment variable: a string needs no quotes there.</param>
internal sealed record Setting(string Path, string Place, ValueSyntax Value, string? Raw = null);
