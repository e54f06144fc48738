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

    /// <summary>The name of a field is an instance's own.</summary>
    [Fact]
    public void Decide_NameThatLooksLikeACount_IsNone()
    {
        const string Body = """{"error":"partial write: field type conflict: input field \"dropped=99\" on measurement \"m\" is type string, already exists as type integer dropped=1"}""";

        var decision = AnswerTable.Decide(new InfluxAnswer(400, Body), lineCount: 10);

        Assert.Equal(WriteAction.SetAside, decision.Action);
        Assert.True(decision.Conflict!.IsIn("m dropped\\=99=\"t\" 7\n"u8));
    }

    [Theory]
    [InlineData("m x=\"t\" 7", true)]
    [InlineData("m,k=v y=1,x=\"t\" 7", true)]
    [InlineData("m,x=\"t x=1 7", true)]
    [InlineData("m x=1 7", false)]
    [InlineData("m x=t 7", false)]
    [InlineData("m xx=\"t\" 7", false)]
    [InlineData("mm x=\"t\" 7", false)]
    [InlineData("m y=\"t\" 7", false)]
    public void Conflict_OfAField_IsInLinesThatLookSo(string line, bool isIn) =>
        Assert.Equal(isIn, FieldConflict.In("input field \"x\" on measurement \"m\" is type string, already exists as type float")!.IsIn(System.Text.Encoding.UTF8.GetBytes(line)));

    [Theory]
    [InlineData("1", "float")]
    [InlineData("1i", "integer")]
    [InlineData("true", "boolean")]
    [InlineData("\"1i\"", "string")]
    public void Conflict_OfEachType_IsToldApart(string value, string type) =>
        Assert.Equal(
            [type],
            ((string[])["float", "integer", "boolean", "string"]).Where(other => FieldConflict.In(
                $"input field \"x\" on measurement \"m\" is type {other}, already exists as type y")!.IsIn(System.Text.Encoding.UTF8.GetBytes($"m x={value} 7"))));

    [Theory]
    [InlineData("")]
    [InlineData("points beyond retention policy dropped=3")]
    [InlineData("\" is type \" on measurement \"input field \"")]
    [InlineData("input field \"x, already exists as type y\" is type z\" on measurement \"")]
    public void Conflict_InOtherWords_IsNone(string words) => Assert.Null(FieldConflict.In(words));

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
