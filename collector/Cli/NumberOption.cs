using System.CommandLine;
using System.Globalization;

namespace Telemetry.Collector.Cli;

/// <summary>Options that say how many there may be.</summary>
internal static class NumberOption
{
    public static Option<uint> Create(string name, uint usual, uint most) => new(name)
    {
        Description = $"At most so many, from 1 to {most}.",
        HelpName = "N",
        DefaultValueFactory = _ => usual,
        CustomParser = result =>
        {
            if (uint.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most)
                return number;
            result.AddError($"'{result.Tokens[0].Value}' is no number from 1 to {most}.");
            return 0;
        },
    };
}
