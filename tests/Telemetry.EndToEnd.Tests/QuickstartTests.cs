using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>The README's first command.</summary>
public sealed class QuickstartTests
{
    private static readonly string Script = Path.Combine(Programs.Repository, "deploy/quickstart.sh");

    // What it would build is what is tested: it is told to use it.
    private static readonly Dictionary<string, string> Built = new() { ["TELEMETRY_BIN"] = Programs.Folder };

    [Fact]
    public async Task Demo_FindsWhatItDidAndNothingElse()
    {
        var finished = await Finished.Run("/bin/bash", [Script, "--demo"], Built);

        Assert.True(finished.ExitCode == 0, finished.Output + finished.Error);
        Assert.Contains("and no other", finished.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quickstart_OnAFolder_ShowsAChangeMadeInAnotherTerminal()
    {
        using var folder = new TemporaryDirectory();
        Directory.CreateDirectory(folder["watched"]);
        File.Copy("/bin/true", folder["watched/tool"]);
        await using var quickstart = RunningProgram.Start("/bin/bash", [Script, "--watch", folder["watched"], "--data", folder["data"]], Built);
        await Shown("Following");

        File.SetUnixFileMode(folder["watched/tool"], File.GetUnixFileMode(folder["watched/tool"]) | UnixFileMode.SetUser);
        await Shown(folder["watched/tool"]);

        foreach (var text in (string[])["critical", "0755", "4755"])
            await Shown(text);
        await quickstart.Stop();

        Task Shown(string text) => Eventually.True(
            () => quickstart.Log.Contains(text, StringComparison.Ordinal), text, TestContext.Current.CancellationToken, () => quickstart.Log);
    }

    [Theory]
    [InlineData("--watch")]
    [InlineData("--nonsense")]
    public async Task WrongUsage_Exits2AndPointsToTheHelp(string argument)
    {
        var finished = await Finished.Run("/bin/bash", [Script, argument], Built);

        Assert.Equal(2, finished.ExitCode);
        Assert.Contains("--help", finished.Error, StringComparison.Ordinal);
    }
}
