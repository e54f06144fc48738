using Telemetry.Collector.Cli;

namespace Telemetry.Collector.Tests.Cli;

public sealed class OutputTests
{
    [Theory]
    [InlineData("00:00:00.9", "0 s")]
    [InlineData("00:01:00", "1 min")]
    [InlineData("00:58:03", "58 min 3 s")]
    [InlineData("23:58:59", "23 h 58 min")]
    [InlineData("3.01:59:59", "3 d 1 h")]
    [InlineData("400.00:59:59", "400 d")]
    public void Duration_IsInTheTwoLargestUnits(string duration, string expected) =>
        Assert.Equal(expected, Output.Duration(TimeSpan.Parse(duration, System.Globalization.CultureInfo.InvariantCulture)));
}
