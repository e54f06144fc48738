using System.Text.RegularExpressions;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>Every command of the README, in its order, against a collector and an agent as the README configures them.</summary>
public sealed partial class ReadmeTests : IAsyncDisposable
{
    /// <summary>These have tests of their own, or are what runs this one.</summary>
    private static readonly string[] CoveredElsewhere = ["deploy/quickstart.sh", "tests/run.sh", "deploy/build.sh ~/telemetry"];

    /// <summary>These run until they are stopped.</summary>
    private static readonly string[] Endless = ["telemetry-collector serve", "telemetry-agent run", "telemetryctl deviations watch"];

    /// <summary>These answer with yes or no.</summary>
    private static readonly string[] Questions = ["telemetryctl diff", "telemetryctl find", "telemetry-agent verify", "telemetryctl reports timeseries"];

    private static readonly string Readme = File.ReadAllText(Path.Combine(Programs.Repository, "README.md"));

    private readonly Installation _installation = new(agentSettings: "[instance]\ntags = { role = \"shop\" }");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _installation.DisposeAsync();

    [Fact]
    public async Task EveryCommand_InOrder_DoesWhatItSays()
    {
        await _installation.StartCollector();
        await _installation.StartAgent();
        var id = (await _installation.FirstHead()).GetProperty("id").GetString()!;
        foreach (var name in (string[])["collector", "agent", "claims", "rules"])
            await File.WriteAllTextAsync(_installation[name + "-readme.toml"], Toml(name), Cancellation);

        var commands = Commands().Except(CoveredElsewhere).ToList();
        Assert.True(commands.Count > 15, $"only {commands.Count} commands were found");
        foreach (var command in commands)
        {
            // A deviation to show, once there is a baseline.
            if (command.StartsWith("telemetryctl deviations list", StringComparison.Ordinal) && !command.Contains("--layer", StringComparison.Ordinal))
            {
                File.WriteAllText(_installation.Watched + "/new", "");
                await _installation.Open($"added {_installation.Watched}/new");
            }

            // Another, beside one that is acknowledged by then: who decides on all of a cause leaves it as it is.
            if (command.StartsWith("telemetryctl deviations waive", StringComparison.Ordinal))
            {
                File.WriteAllText(_installation.Watched + "/second", "");
                await _installation.Open($"added {_installation.Watched}/second");
            }

            var isEndless = Endless.Any(endless => command.StartsWith(endless, StringComparison.Ordinal));
            var finished = await Run(isEndless ? $"timeout 3 {command}" : command, id);

            int[] allowed = isEndless ? [124] : Questions.Any(question => command.StartsWith(question, StringComparison.Ordinal)) ? [0, 1] : [0];
            Assert.True(allowed.Contains(finished.ExitCode), $"{command}: {finished.ExitCode} {finished.Error}");
        }
    }

    [Fact]
    public void Commands_CoveredElsewhere_AreStillThere() =>
        Assert.Empty(CoveredElsewhere.Except(Commands()));

    private Task<Finished> Run(string command, string id)
    {
        var here = command
            .Replace("i-1", id, StringComparison.Ordinal)
            .Replace("collector.toml", "collector-readme.toml", StringComparison.Ordinal)
            .Replace("agent.toml", "agent-readme.toml", StringComparison.Ordinal)
            .Replace("claims.toml", "claims-readme.toml", StringComparison.Ordinal)
            .Replace("rules.toml", "rules-readme.toml", StringComparison.Ordinal)
            .Replace("deploy/policies", Path.Combine(Programs.Repository, "deploy/policies"), StringComparison.Ordinal)
            .Replace("/var/lib/telemetry-collector", _installation["collector"], StringComparison.Ordinal);
        return Finished.Run(
            "/bin/bash",
            ["-c", $"cd '{_installation["."]}' && {here}"],
            new Dictionary<string, string>
            {
                ["HOME"] = _installation["home"],
                ["PATH"] = $"{Programs.Folder}:{Environment.GetEnvironmentVariable("PATH")}",
                ["TELEMETRY_SERVER"] = _installation.Server,
                ["TELEMETRY_COLLECTOR__DATA_DIRECTORY"] = _installation["second-collector"],
                ["TELEMETRY_COLLECTOR__AGENTS__LISTEN"] = "127.0.0.1:0",
                ["TELEMETRY_COLLECTOR__OPERATORS__LISTEN"] = "127.0.0.1:0",
                ["TELEMETRY_AGENT__STATE_DIRECTORY"] = _installation[command.StartsWith("telemetry-agent status", StringComparison.Ordinal) ? "agent" : "second-agent"],
                ["TELEMETRY_AGENT__COLLECTOR"] = "http://127.0.0.1:1",
            });
    }

    /// <summary>The block behind the file's name; for the collector with the additions of the last block.</summary>
    private static string Toml(string name)
    {
        var block = Regex.Match(Readme, $"`{name}\\.toml`\n```toml\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
        Assert.NotEqual("", block);
        return name == "collector" ? block + TomlBlocks().Last().Groups[1].Value : block;
    }

    private static IEnumerable<string> Commands() =>
        ShellBlocks().SelectMany(block => block.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex("```toml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex TomlBlock();

    private static MatchCollection ShellBlocks() => ShellBlock().Matches(Readme);

    private static MatchCollection TomlBlocks() => TomlBlock().Matches(Readme);
}
