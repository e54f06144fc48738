using System.CommandLine;
using Telemetry.Collector.Cli;
using Telemetry.Protocol.Cli;

namespace Telemetry.Collector.Tests.Cli;

public sealed class SeriesVerbTests
{
    private readonly RootCommand _root = [SeriesVerb.Create()];

    [Fact]
    public void Help_OfWhatBecomesOfValues_HasOnlyWordsThatAreAccepted()
    {
        using var output = new StringWriter();
        HelpText.Install(_root);

        _root.Parse("series --help").Invoke(new InvocationConfiguration { Output = output });

        var help = output.ToString();
        Assert.Contains("[default: mean]", help, StringComparison.Ordinal);
        Assert.DoesNotContain("Unspecified", help, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Without it", help, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--aggregate Last", true)]
    [InlineData("--across SUM", true)]
    [InlineData("--across last", false)]
    [InlineData("--across unspecified", false)]
    [InlineData("--aggregate unspecified", false)]
    public void Series_OfAWord_IsAcceptedWhereItMeansSomething(string option, bool isAccepted) =>
        Assert.Equal(isAccepted, _root.Parse($"series cpu usage_user {option}").Errors.Count == 0);
}
