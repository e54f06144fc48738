using System.Globalization;
using System.Text;
using System.Text.Json;
using Telemetry.Collector.TimeSeries;
using Telemetry.Protocol.Model;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

/// <summary>The dashboards of <c>deploy/grafana</c>: whatever they ask, a real InfluxDB answers, of what the collector and agents write.</summary>
public sealed class GrafanaTests : IAsyncDisposable
{
    private static readonly TimeSpan Shown = TimeSpan.FromHours(2);

    private readonly Influxd _influxd = new();
    private readonly HttpClient _http = new();

    public static TheoryData<string> Dashboards => [.. Directory.GetFiles(Path.Combine(Grafana, "dashboards")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    private static string Grafana => Path.Combine(Programs.Repository, "deploy", "grafana");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _influxd.DisposeAsync();
    }

    [Fact]
    public async Task Queries_OfEveryPanelVariableAndMark_ReturnData()
    {
        Assert.SkipUnless(Influxd.IsInstalled, "influxd is not installed; tests/run.sh installs it");
        await _influxd.Start();
        await Ask("CREATE DATABASE telemetry");
        await Write();

        var asked = 0;
        var empty = new List<string>();
        foreach (var name in Dashboards.Select(row => row.Data))
        {
            foreach (var (place, query) in Queries(Read(name)))
            {
                asked++;
                var result = await Ask(Filled(query));
                if (result.TryGetProperty("error", out var error))
                    empty.Add($"{name}: {place}: {error}: {query}");
                else if (!HasValue(result))
                    empty.Add($"{name}: {place}: no data: {query}");
            }
        }

        Assert.True(empty.Count == 0, string.Join('\n', empty));
        Assert.True(asked > 40, $"only {asked} queries were found");
    }

    [Theory]
    [MemberData(nameof(Dashboards))]
    public void Panels_HaveTitlesExplanationsUnitsAndTheDataSourceThatIsProvisioned(string name)
    {
        var dashboard = Read(name);
        var provisioned = File.ReadAllText(Path.Combine(Grafana, "provisioning", "datasources", "telemetry.yaml"));

        Assert.Equal(Path.GetFileNameWithoutExtension(name), dashboard.GetProperty("uid").GetString());
        Assert.NotEqual("", dashboard.GetProperty("title").GetString());
        var panels = dashboard.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("title").GetString()).Where(title => title is { Length: > 0 }).Distinct().Count());
        foreach (var panel in panels.Where(panel => panel.GetProperty("type").GetString() != "row"))
        {
            Assert.NotEqual("", panel.GetProperty("description").GetString());
            Assert.NotEqual("", panel.GetProperty("fieldConfig").GetProperty("defaults").GetProperty("unit").GetString());
            Assert.Contains($"uid: {panel.GetProperty("datasource").GetProperty("uid").GetString()} ", provisioned, StringComparison.Ordinal);
            Assert.All(panel.GetProperty("targets").EnumerateArray(), target => Assert.Equal("telemetry", target.GetProperty("datasource").GetProperty("uid").GetString()));
        }

        Assert.Empty(Overlaps(panels));
    }

    private static IEnumerable<string> Overlaps(List<JsonElement> panels)
    {
        var taken = new Dictionary<(int X, int Y), string>();
        foreach (var panel in panels)
        {
            var (place, title) = (panel.GetProperty("gridPos"), panel.GetProperty("title").GetString()!);
            for (var x = Number("x"); x < Number("x") + Number("w"); x++)
            {
                for (var y = Number("y"); y < Number("y") + Number("h"); y++)
                {
                    if (x >= 24 || !taken.TryAdd((x, y), title))
                        yield return title;
                }
            }

            int Number(string name) => place.GetProperty(name).GetInt32();
        }
    }

    private static JsonElement Read(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Grafana, "dashboards", name))).RootElement;

    private static IEnumerable<(string Place, string Query)> Queries(JsonElement dashboard)
    {
        foreach (var variable in dashboard.GetProperty("templating").GetProperty("list").EnumerateArray())
            yield return ($"variable {variable.GetProperty("name").GetString()}", variable.GetProperty("query").GetString()!);
        foreach (var mark in dashboard.GetProperty("annotations").GetProperty("list").EnumerateArray())
            yield return ($"marks {mark.GetProperty("name").GetString()}", mark.GetProperty("query").GetString()!);
        foreach (var panel in dashboard.GetProperty("panels").EnumerateArray())
        {
            if (!panel.TryGetProperty("targets", out var targets))
                continue;
            foreach (var target in targets.EnumerateArray())
                yield return (panel.GetProperty("title").GetString()!, target.GetProperty("query").GetString()!);
        }
    }

    /// <summary>As Grafana does it: all of what can be chosen, or the one.</summary>
    private static string Filled(string query)
    {
        var filled = query
            .Replace("$timeFilter", $"time >= now() - {(int)Shown.TotalMinutes}m AND time <= now()", StringComparison.Ordinal)
            .Replace("$__interval", "1m", StringComparison.Ordinal)
            .Replace("$customer", ".*", StringComparison.Ordinal)
            .Replace("$group", ".*", StringComparison.Ordinal)
            .Replace("$instance", "i-1", StringComparison.Ordinal)
            .Replace("$host", "web-1", StringComparison.Ordinal);
        Assert.DoesNotMatch(@"\$[a-zA-Z_]", filled);
        return filled;
    }

    private static bool HasValue(JsonElement result) =>
        result.TryGetProperty("series", out var series) && series.EnumerateArray().Any(one =>
            one.GetProperty("values").EnumerateArray().Any(row => row.EnumerateArray().Skip(1).Any(value => value.ValueKind != JsonValueKind.Null)));

    private async Task<JsonElement> Ask(string query)
    {
        using var content = new FormUrlEncodedContent([new("q", query)]);
        using var answer = await _http.PostAsync($"{_influxd.Url}/query?db=telemetry", content, Cancellation);
        var root = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation)).RootElement;
        return root.TryGetProperty("results", out var results) ? results[0] : root;
    }

    /// <summary>Two hours: the collector's own series as it makes them, and an agent's as the reference of metrics names them.</summary>
    private async Task Write()
    {
        var now = TimeProvider.System.GetUtcNow();
        var series = new FleetSeries();
        using var lines = new LineProtocol();
        var text = new StringBuilder();
        for (var at = now - Shown + TimeSpan.FromMinutes(1); at <= now; at += TimeSpan.FromSeconds(10))
        {
            foreach (var point in series.Next(Sample(now, at), Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset(at)))
                Assert.True(lines.Append(point));
            Health(text, at, (int)(now - at).TotalSeconds);
        }

        text.Append(Encoding.UTF8.GetString(lines.Lines));
        using var body = new StringContent(text.ToString());
        using var answer = await _http.PostAsync($"{_influxd.Url}/write?db=telemetry&precision=n", body, Cancellation);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    private static FleetSample Sample(DateTimeOffset now, DateTimeOffset at)
    {
        var (since, ago) = ((now - Shown).ToUnixTimeMilliseconds(), now - at);
        var isAway = ago.TotalMinutes is > 40 and < 50;
        var open = new List<(string, OpenDeviations)>();
        if (ago < TimeSpan.FromMinutes(60))
            open.Add(("i-1", new OpenDeviations("apache:2.4.62-1", "acme", EntryKind.File, Severity.High, 3, 3, (now - TimeSpan.FromMinutes(60)).ToUnixTimeMilliseconds())));
        if (ago < TimeSpan.FromMinutes(30))
            open.Add(("i-1", new OpenDeviations("shop:7", "base", EntryKind.Package, Severity.Medium, 1, 0, (now - TimeSpan.FromMinutes(30)).ToUnixTimeMilliseconds())));
        return new FleetSample(
            [
                new SampledInstance(new InstanceTags("i-1", "web-1", "ami-1", "shop:7", "web", "acme"), IsCovered: true, isAway ? null : since),
                new SampledInstance(new InstanceTags("i-2", "db-1", "ami-2", "shop:6", "db", "globex"), IsCovered: false, since),
            ],
            open.ToLookup(one => one.Item1, one => one.Item2),
            (ago.TotalMinutes < 10 ? [("i-1", new FailingCheck("apache", "http", "acme", since))] : Array.Empty<(string, FailingCheck)>()).ToLookup(one => one.Item1, one => one.Item2));
    }

    private static void Health(StringBuilder text, DateTimeOffset at, int x)
    {
        foreach (var line in (string[])
            [
                "cpu,cpu=cpu-total,host=web-1 usage_user=10,usage_system=5,usage_idle=80,usage_iowait=1,usage_steal=0,usage_softirq=1,usage_nice=0",
                "mem,host=web-1 total=8000000000i,used=4000000000i,cached=1000000000i,used_percent=50",
                "system,host=web-1 load1=0.5,load5=0.4,load15=0.3,n_cpus=4i,uptime=100000i",
                "pressure,host=web-1,resource=cpu,type=some avg10=1,avg60=2,avg300=3",
                "disk,device=sda1,fstype=ext4,host=web-1,mode=rw,path=/ total=100i,used=40i,free=60i,used_percent=40",
                "diskio,host=web-1,name=sda io_util=12.5,reads=1i",
                string.Create(CultureInfo.InvariantCulture, $"net,host=web-1,interface=eth0 bytes_recv={1_000_000_000 - (100_000 * x)}i,bytes_sent={1_000_000_000 - (50_000 * x)}i"),
                "check,check=http,host=web-1,layer=apache state=2i,duration_ns=1000i",
                "agent,host=web-1 memory_resident=30000000i,cpu_percent=0.3,coverage_gaps=1i,losses=0i,spool_records=2i",
                "processes,host=web-1 running=2i,blocked=0i,zombies=0i,total=120i",
            ])
            text.Append(CultureInfo.InvariantCulture, $"{line} {at.ToUnixTimeMilliseconds()}000000\n");
    }
}
