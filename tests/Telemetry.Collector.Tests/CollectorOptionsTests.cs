using Telemetry.Protocol.Configuration;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests;

public sealed class CollectorOptionsTests
{
    private static readonly Dictionary<string, string> NoEnvironment = [];

    [Fact]
    public void Load_NoFile_UsesSafeDefaults()
    {
        var options = CollectorOptions.Load(null, NoEnvironment);

        Assert.Equal("127.0.0.1:7080", options.OperatorsListen.ToString());
        Assert.Equal("127.0.0.1:7443", options.AgentsListen.ToString());
        Assert.Empty(options.Routes);
        Assert.Null(options.Influx);
    }

    [Fact]
    public void Load_ManyMistakes_NamesEachWithItsPlaceAndTheNearestRightName()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder["c.toml"], """
            data_directory = "relative"
            [agents]
            listn = "127.0.0.1:1"
            [operators]
            listen = "0.0.0.0:7080"
            [[routes]]
            name = "ops"
            kind = "pager"
            url = "nowhere"
            """);

        var mistakes = Assert.Throws<ConfigurationException>(() => CollectorOptions.Load(folder["c.toml"], NoEnvironment)).Mistakes;

        Assert.Contains(mistakes, mistake => mistake.Contains("c.toml:1: data_directory", StringComparison.Ordinal));
        Assert.Contains(mistakes, mistake => mistake.Contains("c.toml:3: there is no setting agents.listn; did you mean agents.listen?", StringComparison.Ordinal));
        Assert.Contains(mistakes, mistake => mistake.Contains("c.toml:5: operators.listen", StringComparison.Ordinal));
        Assert.Contains(mistakes, mistake => mistake.Contains("c.toml:8: routes.kind", StringComparison.Ordinal));
        Assert.Contains(mistakes, mistake => mistake.Contains("c.toml:9: routes.url", StringComparison.Ordinal));
        Assert.Equal(5, mistakes.Count);
    }

    [Theory]
    [InlineData("[agent]\n[operators]", "c.toml:1: there is no setting agent; did you mean agents?")]
    [InlineData("routs = {}", "c.toml:1: there is no setting routs; did you mean routes?")]
    [InlineData("[agents.nobody]", "c.toml:1: there is no setting agents.nobody;")]
    public void Load_TableThatNobodyKnows_IsAMistakeThoughItIsEmpty(string text, string mistake)
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder["c.toml"], text);

        var mistakes = Assert.Throws<ConfigurationException>(() => CollectorOptions.Load(folder["c.toml"], NoEnvironment)).Mistakes;

        Assert.Contains(mistake, Assert.Single(mistakes), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Override_WinsOverTheFile()
    {
        var options = CollectorOptions.Load(null, new Dictionary<string, string>
        {
            ["TELEMETRY_COLLECTOR__OPERATORS__LISTEN"] = "127.0.0.1:9999",
            ["TELEMETRY_COLLECTOR__TIMESERIES"] = """{ kind = "influxdb", url = "http://127.0.0.1:8086" }""",
        });

        Assert.Equal(9999, options.OperatorsListen.Port);
        Assert.Equal("http://127.0.0.1:8086/write?db=telemetry&precision=n", options.Influx!.WriteUri.ToString());
    }
}
