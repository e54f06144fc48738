using Telemetry.Collector.Cli;
using Telemetry.Collector.Deviations;

namespace Telemetry.Collector.Tests.Cli;

public sealed class TransitionTextTests
{
    private const string Key = "/usr/lib/systemd/system/multi-user.target.wants/a-service-with-a-long-name.service";

    [Theory]
    [InlineData(80, Key)]
    [InlineData(120, Key)]
    [InlineData(100, "/srv/文件/文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件文件/😀😀😀😀😀😀😀😀😀")]
    public void Line_OnATerminalWithoutRoomForAll_HasTheWholeKeyLast(int width, string key)
    {
        var text = TransitionText.Of(View(key), width);

        Assert.EndsWith(key, text.Entry, StringComparison.Ordinal);
        Assert.Equal("", text.After);
        Assert.Equal("    on        i-1 d-17", text.Details[0]);
        Assert.All(text.Details, detail => Assert.InRange(Columns(detail), 1, width));
        Assert.Contains(text.Details, detail => detail.EndsWith('…'));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(200)]
    public void Line_InAPipe_OrWithRoom_IsWhole(int? width)
    {
        var text = TransitionText.Of(View(Key), width);

        Assert.EndsWith(Key, text.Entry, StringComparison.Ordinal);
        Assert.Equal("  i-1 d-17", text.After);
        Assert.Equal(["    expected  nothing", "    actual    nothing", $"    cause     c-3 {new string('x', 150)}"], text.Details);
    }

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
