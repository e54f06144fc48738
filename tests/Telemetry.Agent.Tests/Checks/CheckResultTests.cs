using System.Text;
using Telemetry.Agent.Checks;
using Telemetry.Agent.Linux;
using Telemetry.Agent.Tests.Health;
using Telemetry.Protocol.Layers;

namespace Telemetry.Agent.Tests.Checks;

public sealed class CheckResultTests
{
    [Theory]
    [InlineData("Exited", 0, "OK", "", "Ok: OK")]
    [InlineData("Exited", 1, "so so | a=1", "", "Warning: so so")]
    [InlineData("Exited", 2, "bad", "noise", "Critical: bad")]
    [InlineData("Exited", 3, "?", "", "Unknown: ?")]
    [InlineData("Exited", 0, "", "", "Ok: ")]
    [InlineData("Exited", 4, "OK", "", "Unknown: /p ended with 4")]
    [InlineData("Exited", 127, "", "no such library", "Unknown: /p ended with 127: no such library")]
    [InlineData("Exited", 2, " \n", "Traceback\nImportError: x", "Unknown: /p ended with 2: ImportError: x (it wrote nothing to standard output)")]
    [InlineData("Signalled", 11, "OK", "", "Unknown: /p was ended by signal 11")]
    [InlineData("TimedOut", 0, "OK", "", "Unknown: /p took too long and was killed")]
    [InlineData("TooMuchOutput", 0, "OK", "", "Unknown: /p wrote more than expected and was killed")]
    public void Of_AnEnd_IsTheStateThatPluginsMean(string outcome, int code, string output, string error, string expected)
    {
        var result = CheckResult.Of(new ChildEnd("/p", Enum.Parse<ChildOutcome>(outcome), code, Encoding.UTF8.GetBytes(error)), Encoding.UTF8.GetBytes(output));

        Assert.Equal(expected, $"{result.State}: {result.Text}");
    }

    [Fact]
    public void Of_AnOutputForATerminal_IsEscapedAndShort()
    {
        var result = CheckResult.Of(new ChildEnd("/p", ChildOutcome.Exited, 0, []), Encoding.UTF8.GetBytes("\u001b[2J" + string.Concat(Enumerable.Repeat("\U0001F600", 2_000))));

        Assert.StartsWith(@"\x1b[2J", result.Text);
        Assert.InRange(result.Text.Length, 1, 1_001);
        Assert.Equal(result.Text, Encoding.UTF8.GetString(new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(result.Text)));
    }

    [Fact]
    public void Of_AnOutputWithSecrets_TellsNone()
    {
        var good = CheckResult.Of(
            new ChildEnd("/p", ChildOutcome.Exited, 0, []),
            "password=ZqSec90 https://u:ZqSec91@h: text | 'https://u:ZqSec92@h'=1 'token=ZqSec93'=2 token=5 time=7s"u8);
        var bad = CheckResult.Of(new ChildEnd("/p", ChildOutcome.Exited, 4, "mysql -pZqSec94: refused"u8.ToArray()), []);

        Assert.Equal("password=*** https://u:***@h: text", good.Text);
        Assert.Equal(["https://u:***@h", "token=***", "token", "time"], good.Values.Select(value => value.Label));
        Assert.Equal("/p ended with 4: mysql -p*** refused", bad.Text);
    }

    [Fact]
    public void Points_OfAResult_HaveTheirTagsAndWhereTheyAlert()
    {
        var result = CheckResult.Of(
            new ChildEnd("/p", ChildOutcome.Exited, 1, []),
            "WARN | load1=1.5;5;10;0; 'in use'=7%;@10:20;~:30;;100 u=U;1;2 bad=x"u8);

        var points = CheckPoints.Of(new CheckRun(Some("http", "acme"), DateTimeOffset.UnixEpoch, result, TimeSpan.FromMilliseconds(2)));

        Assert.All(points, point => Assert.Equal(("check", "http", "web", "acme"), (point.Measurement, point.Tag("check"), point.Tag("layer"), point.Tag("owner"))));
        Assert.Equal(
            [
                "state=1i duration_ns=2000000i malformed=1i",
                "value=1.5 warning_lt=0 warning_gt=5 critical_lt=0 critical_gt=10 min=0",
                "value=7 warning_ge=10 warning_le=20 critical_gt=30 max=100",
            ],
            points.Select(Probes.Text));
        Assert.Equal(("load1", "in use", "%"), (points[1].Tag("label"), points[2].Tag("label"), points[2].Tag("unit")));
        Assert.DoesNotContain(points[1].Tags, tag => tag.Name == "unit");
    }

    [Fact]
    public void Schedule_SpreadsTheStartsAndKeepsTheIntervals()
    {
        var start = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var schedule = new CheckSchedule(Enumerable.Range(0, 20).Select(i => Some($"c{i}", null)), start);

        var taken = new Dictionary<string, List<int>>();
        for (var second = 0; second < 180; second++)
        {
            while (schedule.Take(start.AddSeconds(second)) is { } check)
                (taken.TryGetValue(check.Id, out var list) ? list : taken[check.Id] = []).Add(second);
        }

        Assert.Equal(20, taken.Count);
        Assert.All(taken.Values, seconds => Assert.InRange(seconds[0], 0, 30));
        Assert.All(taken.Values, seconds => Assert.All(seconds.Zip(seconds.Skip(1)), pair => Assert.Equal(60, pair.Second - pair.First)));

        // Not all at once.
        Assert.InRange(taken.Values.GroupBy(seconds => seconds[0]).Max(group => group.Count()), 1, 5);
    }

    [Fact]
    public void Schedule_ThatIsLate_LeavesOutWhatItMissed()
    {
        var start = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var schedule = new CheckSchedule([Some("c", null)], start);
        var first = schedule.Next!.Value;

        Assert.NotNull(schedule.Take(first.AddSeconds(200)));

        Assert.Null(schedule.Take(first.AddSeconds(200)));
        Assert.Equal(first.AddSeconds(240), schedule.Next);
    }

    [Fact]
    public void Schedule_WhoseClockIsSetBack_WaitsNoLongerThanAnInterval()
    {
        var start = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var schedule = new CheckSchedule([Some("c", null)], start);

        schedule.Forget(start.AddHours(-5));

        Assert.NotNull(schedule.Take(start.AddHours(-5).AddSeconds(60)));
    }

    internal static DeclaredCheck Some(string name, string? owner, params string[] command) =>
        new("web", owner, new LayerCheck(name, [.. command], TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10)));
}
