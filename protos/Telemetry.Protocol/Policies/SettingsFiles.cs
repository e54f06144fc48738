using System.Collections.Immutable;
using Telemetry.Protocol.Model;

namespace Telemetry.Protocol.Policies;

/// <summary>Files that are parsed into settings.</summary>
/// <param name="Match">Patterns of the files' keys.</param>
/// <param name="Format">One of <see cref="SettingsFormats.Names"/>.</param>
public sealed record SettingsFiles(ImmutableArray<KeyPattern> Match, string Format);
