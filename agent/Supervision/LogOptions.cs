using Microsoft.Extensions.Logging;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Agent.Supervision;

/// <summary>What is logged: <c>[log]</c>.</summary>
internal sealed record LogOptions
{
    private static readonly Dictionary<string, LogLevel> Levels = new()
    {
        ["error"] = LogLevel.Error,
        ["warning"] = LogLevel.Warning,
        ["information"] = LogLevel.Information,
        ["debug"] = LogLevel.Debug,
    };

    /// <summary>This and what is worse. "debug" adds a line for every look, also for those that find nothing new.</summary>
    public required LogLevel Level { get; init; }

    public static LogOptions Read(SettingsSection settings)
    {
        var name = settings.Text("level", "information");
        if (!Levels.TryGetValue(name, out var level))
            settings.Fail("level", $"is '{name}'; it must be one of {string.Join(", ", Levels.Keys)}.");
        return new LogOptions { Level = level };
    }
}
