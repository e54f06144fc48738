using System.CommandLine;
using Telemetry.Collector.Fleet;
using Telemetry.Protocol.Configuration;

namespace Telemetry.Collector.Cli;

/// <summary>Options that take a point in time, or a time.</summary>
internal static class TimeOption
{
    public static Option<DateTimeOffset?> Create(string name, string description) => new(name)
    {
        Description = $"{description}, such as {Moment.Example}.",
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (Moment.TryParse(result.Tokens[0].Value, out var time))
                return time;
            result.AddError($"'{result.Tokens[0].Value}' is no time; write it as in {Moment.Example}.");
            return null;
        },
    };

    /// <summary>An option that takes whole seconds.</summary>
    public static Option<TimeSpan?> CreateDuration(string name, string description) => new(name)
    {
        Description = $"{description}, such as 90s, 15m, 6h or 1d.",
        HelpName = "DURATION",
        CustomParser = result =>
        {
            if (SettingsSection.ParseDuration(result.Tokens[0].Value) is { } duration && duration >= TimeSpan.FromSeconds(1))
                return duration;
            result.AddError($"'{result.Tokens[0].Value}' is no duration of a second at least; write it as in 90s, 15m, 6h or 1d.");
            return null;
        },
    };
}
