using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Without any time-series server configured: the collector's own store has the metrics, and gives them back.</summary>
public sealed class EmbeddedTests : IAsyncDisposable
{
    private readonly Installation _installation = new(
        agentSettings: """
            [health]
            interval = "1s"
            """);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task Metrics_DriftAndCompliance_AreAskedForAndSurviveAKill()
    {
        File.WriteAllText(_installation.Watched + "/conf", "a");
        var instance = await _installation.StartCertified();
        File.WriteAllText(_installation.Watched + "/conf", "b");
        await _installation.Open($"changed {_installation.Watched}/conf");

        var memory = await Series("mem", "total", "--by", "host", "--aggregate", "last");
        Assert.Equal(Environment.MachineName, memory[0].GetProperty("tags").GetProperty("host").GetString());
        Assert.Equal(MemTotal(), Last(memory));
        await Until(1, "drift", "open", "--where", $"instance={instance}", "--where", "kind=file", "--aggregate", "last");
        await Until(0, "compliance", "compliant", "--where", $"instance={instance}", "--aggregate", "min", "--step", "365d");
        await Until(1, "session", "connected", "--aggregate", "max");
        var before = Last(await Series("mem", "total", "--aggregate", "count", "--step", "365d"));

        await _installation.Collector.Kill();
        await _installation.StartCollector();

        Assert.True(Last(await Series("mem", "total", "--aggregate", "count", "--step", "365d")) >= before, "nothing is lost");
        await Eventually.True(
            async () => (await _installation.Ctl("reports", "timeseries")) is var finished && JsonDocument.Parse(finished.Output).RootElement.GetProperty("state").GetString() == "working",
            "the store to be tried out", Cancellation, _installation.Logs);
    }

    /// <summary>Once there are some.</summary>
    private async Task<JsonElement> Series(params string[] arguments) => (JsonElement)await Eventually.Get(
        async () => await _installation.Succeed(["reports", "series", .. arguments]) is var series && series.GetArrayLength() > 0 ? (object)series : null,
        $"reports series {string.Join(' ', arguments)}",
        Cancellation,
        _installation.Logs);

    private Task Until(double expected, params string[] arguments) => Eventually.Get(
        async () => Last(await Series(arguments)) == expected ? "yes" : null, $"{string.Join(' ', arguments)} to be {expected}", Cancellation, _installation.Logs);

    private static double Last(JsonElement series) => series[0].GetProperty("points").EnumerateArray().Last().GetProperty("value").GetDouble();

    private static double MemTotal() =>
        1024 * double.Parse(
            File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            System.Globalization.CultureInfo.InvariantCulture);
}
