using System.CommandLine;
using Telemetry.Collector.Fleet;

namespace Telemetry.Collector.Cli;

/// <summary>Options that take a point in time.</summary>
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
}
