using System.Net;
using System.Text;
using Telemetry.Collector.TimeSeries;
using Telemetry.Testing;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class InfluxQlTests
{
    private static readonly DateTimeOffset From = DateTimeOffset.FromUnixTimeMilliseconds(60_000);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Question_WithEverything_IsOneStatement()
    {
        var query = new SeriesQuery("cpu", "usage_user", Aggregate.Mean, From, From.AddHours(1), TimeSpan.FromMinutes(5)) { Where = [new("cpu", "cpu-total")], By = ["host"] };

        Assert.Equal(
            """SELECT mean("usage_user") AS value FROM "cpu" WHERE time >= 60000ms AND time < 3660000ms AND "cpu"::tag = 'cpu-total' GROUP BY time(300s), "host" fill(none) LIMIT 10002 SLIMIT 1001""",
            InfluxQl.Of(query));
    }

    [Fact]
    public void Question_AcrossSeries_AsksEachSeriesFirst()
    {
        var query = new SeriesQuery("drift", "open", Aggregate.Last, From, From.AddHours(1), TimeSpan.FromMinutes(5)) { Where = [new("group", "web")], By = ["instance"], Across = Aggregate.Sum };

        Assert.Equal(
            """SELECT sum("value of one series") AS value FROM (SELECT last("open") AS "value of one series" FROM "drift" WHERE time >= 60000ms AND time < 3660000ms AND "group"::tag = 'web' GROUP BY time(300s), * fill(none)) WHERE time >= 60000ms AND time < 3660000ms GROUP BY time(300s), "instance" fill(none) LIMIT 10002 SLIMIT 1001""",
            InfluxQl.Of(query));
    }

    [Theory]
    [InlineData("x' OR 'a'='a", @"'x\' OR \'a\'=\'a'")]
    [InlineData(@"x\", @"'x\\'")]
    [InlineData(@"x\' OR 1=1 --", @"'x\\\' OR 1=1 --'")]
    [InlineData("x\n; DROP DATABASE telemetry", @"'x\n; DROP DATABASE telemetry'")]
    [InlineData("\"", "'\"'")]
    public void Text_WhateverItHolds_StaysOneText(string text, string expected) => Assert.Equal(expected, InfluxQl.Text(text));

    [Theory]
    [InlineData("a\" FROM b; DROP MEASUREMENT cpu", """
        "a\" FROM b; DROP MEASUREMENT cpu"
        """)]
    [InlineData(@"a\", @"""a\\""")]
    public void Name_WhateverItHolds_StaysOneName(string name, string expected) => Assert.Equal(expected, InfluxQl.Name(name));

    /// <summary>A stub, of the answers that the servers document; 1.x answers for itself in the contract tests.</summary>
    [Theory]
    [InlineData(200, """{"results":[{"statement_id":0,"error":"database not found: telemetry"}]}""")]
    [InlineData(404, """{"error":"database not found: telemetry"}""")]
    [InlineData(200, """{"results":[{"statement_id":0}]}""")]
    public async Task Answer_WithoutData_IsEmpty(int status, string body) => Assert.Empty(await Ask(status, body));

    /// <summary>A stub of 2.x without a token's rights, of a query that fails, and of what is no InfluxDB.</summary>
    [Theory]
    [InlineData(401, """{"code":"unauthorized","message":"unauthorized access"}""", "does not accept the collector's token")]
    [InlineData(200, """{"results":[{"statement_id":0,"error":"max-select-point limit exceeded"}]}""", "max-select-point limit exceeded")]
    [InlineData(200, "<html>hello</html>", "hello")]
    [InlineData(503, "busy", "busy")]
    public async Task Answer_ThatIsNone_IsToldInTheServersWords(int status, string body, string words)
    {
        var failed = await Assert.ThrowsAsync<SeriesException>(() => Ask(status, body));

        Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        Assert.False(failed.IsWrongQuestion);
    }

    /// <summary>A stub of 2.x, as its documentation shows the answer; the token is sent as 2.x wants it.</summary>
    [Fact]
    public async Task Answer_OfAStubOf2_IsReadAndItsTokenIsShown()
    {
        const string Body = """{"results":[{"statement_id":0,"series":[{"name":"cpu","tags":{"host":"web-1"},"columns":["time","value"],"values":[[60000,1.5],[120000,null],[180000,2]]}]}]}""";
        var server = new Stub(200, Body);
        using var http = new HttpClient(server);
        using var folder = new TemporaryDirectory();
        var reader = Reader(http, ServerKind.Influx2, folder.Write("token", "secret\n"));

        var series = Assert.Single(await reader.QueryAsync(Query(), Cancellation));

        Assert.Equal("web-1", series.Tags["host"]);
        Assert.Equal([(60_000L, 1.5), (180_000L, 2)], series.Points.Select(point => (point.At.ToUnixTimeMilliseconds(), point.Value)));
        Assert.Equal("Token secret", server.Authorization);
        Assert.StartsWith("q=SELECT+mean", server.Asked, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Question_ToVictoriaMetrics_IsToldWhereToAsk()
    {
        using var http = new HttpClient(new Stub(200, "{}"));

        var failed = await Assert.ThrowsAsync<SeriesException>(() => Reader(http, ServerKind.VictoriaMetrics).QueryAsync(Query(), Cancellation));

        Assert.Contains("http://127.0.0.1:1/api/v1/query_range", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_OfMoreSeriesThanAnybodyReads_IsRefused()
    {
        var many = string.Join(',', Enumerable.Range(0, SeriesQuery.MaxSeries + 1).Select(i => $$"""{"tags":{"host":"{{i}}"},"columns":["time","value"],"values":[[60000,1]]}"""));

        Assert.True((await Assert.ThrowsAsync<SeriesException>(() => Ask(200, $$"""{"results":[{"series":[{{many}}]}]}"""))).IsWrongQuestion);
    }

    private static async Task<IReadOnlyList<AnsweredSeries>> Ask(int status, string body)
    {
        using var http = new HttpClient(new Stub(status, body));
        return await Reader(http, ServerKind.Influx3).QueryAsync(Query(), Cancellation);
    }

    private static InfluxReader Reader(HttpClient http, ServerKind kind, string? tokenFile = null)
    {
        var options = new InfluxOptions(new Uri("http://127.0.0.1:1/"), "telemetry") { Organization = "o", TokenFile = tokenFile };
        return new InfluxReader(new InfluxClient(options, http, TimeProvider.System), options, _ => Task.FromResult(ServerDialect.Of(kind, options)));
    }

    private static SeriesQuery Query() => new("cpu", "x", Aggregate.Mean, From, From.AddHours(1), TimeSpan.FromMinutes(1)) { By = ["host"] };

    private sealed class Stub(int status, string body) : HttpMessageHandler
    {
        public string Asked { get; private set; } = "";

        public string? Authorization { get; private set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked = await request.Content!.ReadAsStringAsync(cancellationToken);
            Authorization = request.Headers.Authorization?.ToString();
            return new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        }
    }
}
