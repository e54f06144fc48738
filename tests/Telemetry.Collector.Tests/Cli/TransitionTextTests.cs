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

    [Theory]
    [InlineData("opened", "open", false, "opened", null)]
    [InlineData("changed", "open", false, "changed", null)]
    [InlineData("changed", "acknowledged", true, "acknowledged", "acknowledged by anna: seen")]
    [InlineData("changed", "waived", true, "waived", "waived by anna until 2036-12-31 00:00:00Z: seen")]
    [InlineData("changed", "open", true, "changed", "open again, was waived by anna until 2036-12-31 00:00:00Z: seen")]
    [InlineData("closed", "resolved", true, "closed", null)]
    [InlineData("closed", "approved", true, "approved", "approved by anna: seen")]
    public void Line_OfWhatSomebodyDecided_SaysWhat(string transition, string state, bool isDecided, string word, string? said)
    {
        var gives = state is "open" or "resolved" ? "waived" : state;
        var until = gives == "waived" ? new DateTime(2036, 12, 31, 0, 0, 0, DateTimeKind.Utc) : (DateTime?)null;
        var view = View(Key) with { Transition = transition };

        var text = TransitionText.Of(
            view with
            {
                Deviation = view.Deviation with
                {
                    State = state,
                    ClosedAt = transition == "closed" ? view.At : null,
                    Decision = isDecided ? new DecisionView(gives, "anna", "seen", view.At, until, null, null) : null,
                },
            },
            width: null);

        Assert.EndsWith($"Z  {word,-8}  ", text.Before, StringComparison.Ordinal);
        Assert.Equal(said is null ? [] : [$"    state     {said}"], text.Details.Where(detail => detail.StartsWith("    state", StringComparison.Ordinal)));
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
