using Telemetry.Collector.TimeSeries;
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
        Assert.NotNull(options.TimeSeries.Embedded);
        Assert.Null(options.TimeSeries.Influx);
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
    public void Load_HistoryThatIsTooShort_SuggestsOnlyWhatIsTaken()
    {
        var mistake = Assert.Single(Assert.Throws<ConfigurationException>(
            () => CollectorOptions.Load(null, new Dictionary<string, string> { ["TELEMETRY_COLLECTOR__STORE__HISTORY"] = "0d" })).Mistakes);

        Assert.EndsWith("store.history must be a duration of at least 24h, such as \"24h\", \"30d\" or \"400d\".", mistake, StringComparison.Ordinal);
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
        Assert.Equal(new InfluxOptions(new Uri("http://127.0.0.1:8086/"), "telemetry"), options.TimeSeries.Influx);
        Assert.Null(options.TimeSeries.Embedded);
    }

    [Theory]
    [InlineData("1", "http://h/write?db=a b&rp=week&precision=n")]
    [InlineData("2", "http://h/api/v2/write?org=acme&bucket=a b&precision=ns")]
    [InlineData("3", "http://h/api/v3/write_lp?db=a b&precision=nanosecond&accept_partial=true")]
    public void TimeSeries_OfEachVersion_WritesWhereThatListens(string version, string uri)
    {
        var options = TimeSeries($"kind = \"influxdb\", url = \"http://h\", version = {version}, database = \"a b\", retention_policy = \"week\", org = \"acme\"");

        Assert.Equal(uri, Uri.UnescapeDataString(ServerDialect.Of(options.Kind!.Value, options).WriteUri.AbsoluteUri));
    }

    [Theory]
    [InlineData("kind = \"influxdb\", url = \"http://user:secret@h\"", "timeseries.url")]
    [InlineData("kind = \"influx\", url = \"http://h\"", "timeseries.kind")]
    [InlineData("kind = \"influxdb\", url = \"http://h\", version = 2", "timeseries.org")]
    [InlineData("kind = \"influxdb\", url = \"http://h\", version = 4", "timeseries.version")]
    [InlineData("kind = \"influxdb\", url = \"http://h\", database = \"a\", bucket = \"b\"", "timeseries.bucket")]
    [InlineData("kind = \"influxdb\", url = \"http://h\", username = \"a\"", "timeseries.password_file")]
    [InlineData("kind = \"influxdb\", url = \"http://h\", token_file = \"a\"", "timeseries.token_file")]
    public void TimeSeries_WithAMistake_NamesTheSetting(string settings, string setting)
    {
        var mistake = Assert.Throws<ConfigurationException>(() => TimeSeries(settings)).Message;

        Assert.Contains(setting, mistake, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", mistake, StringComparison.Ordinal);
    }

    private static InfluxOptions TimeSeries(string settings) =>
        CollectorOptions.Load(null, new Dictionary<string, string> { ["TELEMETRY_COLLECTOR__TIMESERIES"] = $"{{ {settings} }}" }).TimeSeries.Influx!;
}
