using Telemetry.Collector.TimeSeries;

namespace Telemetry.Collector.Tests.TimeSeries;

public sealed class AnswerTableTests
{
    [Theory]
    [InlineData(200, "", "Done")]
    [InlineData(204, "", "Done")]
    [InlineData(400, """{"error":"partial write: field type conflict: input field \"x\" on measurement \"m\" is type string, already exists as type integer dropped=1"}""", "SetAside")]
    [InlineData(400, """{"error":"partial write: points beyond retention policy dropped=100"}""", "SetAsideAll")]
    [InlineData(400, """{"error":"partial write: unable to parse 'x': missing fields dropped=0"}""", "SetAside")]
    [InlineData(401, "", "NotAllowed")]
    [InlineData(403, "", "NotAllowed")]
    [InlineData(404, """{"error":"database not found: \"telemetry\""}""", "Create")]
    [InlineData(408, "", "Wait")]
    [InlineData(413, "", "Halve")]
    [InlineData(422, """{"code":"unprocessable entity","message":"partial write: points beyond retention policy dropped=3"}""", "SetAside")]
    [InlineData(429, "", "Wait")]
    [InlineData(500, """{"error":"timeout"}""", "Wait")]
    [InlineData(500, """{"error":"retention policy not found: weekly"}""", "Misconfigured")]
    [InlineData(502, "", "Wait")]
    [InlineData(503, "", "Wait")]
    [InlineData(302, "", "Misconfigured")]
    [InlineData(405, "", "Misconfigured")]
    public void Decide_EachAnswer_DoesWhatTheTableSays(int status, string body, string action) =>
        Assert.Equal(action, AnswerTable.Decide(new InfluxAnswer(status, body), lineCount: 100).Action.ToString());

    [Fact]
    public void Decide_OneLineRefused_IsSetAsideWithTheServersWords()
    {
        var decision = AnswerTable.Decide(new InfluxAnswer(400, "{\"error\":\"no\n good\"}"), lineCount: 1);

        Assert.Equal((WriteAction.SetAsideAll, "400 {\"error\":\"no good\"}"), (decision.Action, decision.Words));
    }

    [Fact]
    public void Decide_LinesNamed_AreCountedFromZeroAndInsideTheParcel()
    {
        var decision = AnswerTable.Decide(
            new InfluxAnswer(400, """
                {"error":"partial write of line protocol occurred","data":[
                  {"original_line":"a","line_number":1,"error_message":"first"},
                  {"original_line":"b","line_number":7,"error_message":"seventh"},
                  {"original_line":"c","line_number":11,"error_message":"is not there"},
                  {"original_line":"d","line_number":-1},
                  {"line_number":"2"}]}
                """),
            lineCount: 10);

        Assert.Equal([(0, "first"), (6, "seventh")], decision.Lines);
    }

    [Theory]
    [InlineData("""{"code":"invalid","message":"bad","line":2}""", 1)]
    [InlineData("""{"error":"parsing failed","data":{"line_number":3,"error_message":"bad"}}""", 2)]
    public void Decide_OneLineNamed_IsThatOne(string body, int line) =>
        Assert.Equal((line, "bad"), Assert.Single(AnswerTable.Decide(new InfluxAnswer(400, body), lineCount: 10).Lines));

    [Theory]
    [InlineData("[]")]
    [InlineData("nonsense")]
    [InlineData("""{"data":7}""")]
    [InlineData("""{"line":1e99}""")]
    public void Decide_NoLineNamed_LeavesThemToBeLookedFor(string body)
    {
        var decision = AnswerTable.Decide(new InfluxAnswer(422, body), lineCount: 10);

        Assert.Equal((WriteAction.SetAside, 0), (decision.Action, decision.Lines.Count));
    }

    [Theory]
    [InlineData(30, 30)]
    [InlineData(-5, null)]
    [InlineData(86_400, 3_600)]
    public void Decide_RetryAfter_IsKeptWithinAnHour(int asked, int? kept)
    {
        var decision = AnswerTable.Decide(new InfluxAnswer(503, "") { RetryAfter = TimeSpan.FromSeconds(asked) }, lineCount: 10);

        Assert.Equal(kept, (int?)decision.RetryAfter?.TotalSeconds);
    }

    [Fact]
    public void BackOff_OfFailuresInARow_DoublesToAMinuteAndIsSpreadBehindTheCap()
    {
        var wait = new WriteDecision(WriteAction.Wait);

        Assert.Equal([1.0, 2, 4, 8, 16, 32, 60, 60], Enumerable.Range(1, 8).Select(failures => BackOff.Delay(wait, failures, random: 0.5).TotalSeconds));
        Assert.Equal((45.0, 75.0), (BackOff.Delay(wait, 1_000, random: 0).TotalSeconds, BackOff.Delay(wait, 1_000, random: 1).TotalSeconds));
    }

    [Fact]
    public void BackOff_WherePeopleAreNeededOrTimeIsAskedFor_WaitsLonger()
    {
        Assert.Equal(60, BackOff.Delay(new WriteDecision(WriteAction.NotAllowed), 1, random: 0.5).TotalSeconds);
        Assert.Equal(60, BackOff.Delay(new WriteDecision(WriteAction.Misconfigured), 1, random: 0.5).TotalSeconds);
        Assert.True(BackOff.Delay(new WriteDecision(WriteAction.Wait) { RetryAfter = TimeSpan.FromSeconds(100) }, 1, random: 0) >= TimeSpan.FromSeconds(100));
    }

    [Theory]
    [InlineData("1.6.7", "", "404 page not found", 404, "Influx1", "1.6.7")]
    [InlineData("1.8.10", "", """{"name":"influxdb","status":"pass","version":"1.8.10"}""", 200, "Influx1", "1.8.10")]
    [InlineData("1.8.0", "", "OK", 200, "VictoriaMetrics", "")]
    [InlineData("", "", "OK", 200, "VictoriaMetrics", "")]
    [InlineData("v2.7.10", "", """{"name":"influxdb","status":"pass","version":"v2.7.10"}""", 200, "Influx2", "2.7.10")]
    [InlineData("", """{"version":"3.2.1","revision":"abc"}""", "OK", 200, "Influx3", "3.2.1")]
    [InlineData("", "", """{"name":"influxdb","version":"2.1.0"}""", 200, "Influx2", "2.1.0")]
    [InlineData("", "pong", "fine", 200, "", "")]
    public void Detection_OfWhatAServerSaysOfItself_KnowsItsKind(string header, string ping, string health, int healthStatus, string kind, string version)
    {
        var found = ServerDetection.Detect(new InfluxAnswer(204, ping) { Version = header }, new InfluxAnswer(healthStatus, health));

        Assert.Equal((kind, version), (found.Kind?.ToString() ?? "", found.Version));
    }

    [Theory]
    [InlineData("-retentionPeriod=\"1\"\n", 31.0)]
    [InlineData("-x=\"y\"\n-retentionPeriod=\"90d\"", 90.0)]
    [InlineData("-retentionPeriod=\"1y\"", 365.0)]
    [InlineData("-retentionPeriod=\"ever\"", null)]
    [InlineData("", null)]
    public void Retention_AsVictoriaMetricsSaysIt_IsRead(string flags, double? days) =>
        Assert.Equal(days, VictoriaMetricsDialect.RetentionIn(flags)?.TotalDays);
}
