using Telemetry.Collector.Cli;
using Telemetry.Collector.Deviations;

namespace Telemetry.Collector.Tests.Cli;

public sealed class TransitionTextTests
{
    private const string Key = "/usr/lib/systemd/system/multi-user.target.wants/a-service-with-a-long-name.service";

    [Theory]
    [InlineData(100, Key)]
    [InlineData(120, Key)]
    [InlineData(100, "/srv/文件/文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件/😀😀😀😀😀😀😀😀😀")]
    public void Line_OnATerminal_FitsAndShowsBothEndsOfTheKey(int width, string key)
    {
        var text = TransitionText.Of(View(key), width);
        var line = text.Before + text.Entry + text.After;

        Assert.InRange(Columns(line), width - 4, width);
        Assert.StartsWith(key[..4], text.Entry[19..], StringComparison.Ordinal);
        Assert.EndsWith(key[^4..], text.Entry, StringComparison.Ordinal);
        Assert.Contains('…', text.Entry);
        Assert.EndsWith("i-1 d-17", line, StringComparison.Ordinal);
        Assert.DoesNotContain(line.EnumerateRunes(), rune => rune == System.Text.Rune.ReplacementChar);
        Assert.All(text.Details, detail => Assert.InRange(Columns(detail), 1, width));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(200)]
    public void Line_InAPipe_OrWithRoom_IsWhole(int? width)
    {
        var text = TransitionText.Of(View(Key), width);

        Assert.EndsWith(Key, text.Entry, StringComparison.Ordinal);
        Assert.Equal(["    expected  nothing", "    actual    nothing", $"    cause     c-3 {new string('x', 150)}"], text.Details);
    }

    [Fact]
    public void Line_OnATerminalThatIsTooNarrow_StillNamesTheKey() =>
        Assert.EndsWith(".service", TransitionText.Of(View(Key), 40).Entry, StringComparison.Ordinal);

    private static int Columns(string text) => text.EnumerateRunes().Sum(rune => rune.Value is < 0x1100 or '…' ? 1 : rune.IsBmp ? 2 : 4);

    private static TransitionView View(string key) => new("opened", Some.Time.UtcDateTime, "MTI", new DeviationView
    {
        Id = "d-17",
        Instance = "i-1",
        Key = key,
        Kind = "file",
        Change = "added",
        Severity = "high",
        State = "open",
        Cause = new Telemetry.Collector.Causes.CauseLink { Id = "c-3", Kind = "package", Summary = new string('x', 150) },
    });
}
