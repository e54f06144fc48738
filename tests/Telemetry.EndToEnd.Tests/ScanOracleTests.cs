using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What the agent says of a real tree is what find, sha256sum and stat say.</summary>
public sealed class ScanOracleTests : IDisposable
{
    private const string Tree = "/usr/share";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Scan_OfARealTree_AgreesWithFindSha256sumAndStat()
    {
        await Finished.Succeed(Programs.Agent, "scan", "--root", Tree, "--out", _folder["m"], "--no-packages", "--no-settings");

        var shown = await Finished.Succeed(Programs.Agent, "show", _folder["m"], "--output", "json");
        var entries = shown.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(entry => entry.GetProperty("key").GetString()!);

        // Paths as find prints them, relative to the root; names in this tree are plain enough to need no escapes.
        var found = (await Shell($"cd {Tree} && find . -xdev -printf '%P\\n'")).Select(path => "/" + path).ToList();
        Assert.Equal(found.Order(StringComparer.Ordinal), entries.Keys.Order(StringComparer.Ordinal));

        var digests = await Shell($"cd {Tree} && find . -xdev -type f -print0 | xargs -0 -P2 -n 512 sha256sum");
        var files = entries.Values.Count(entry => entry.GetProperty("type").GetString() == "file");
        Assert.Equal(files, digests.Count);
        Assert.All(digests, line =>
            Assert.Equal(line[..64], entries[line[67..].Insert(0, "/")].GetProperty("digest").GetString()));

        var modes = await Shell($"cd {Tree} && find . -xdev ! -type l -print0 | xargs -0 -n 512 stat -c '%04a %u %g %n'");
        Assert.All(modes, line =>
        {
            var parts = line.Split(' ', 4);
            var entry = entries["/" + parts[3].TrimStart('.').TrimStart('/')];
            Assert.Equal(parts[0], entry.GetProperty("mode").GetString());
            Assert.Equal(parts[1], $"{entry.GetProperty("uid").GetUInt32()}");
            Assert.Equal(parts[2], $"{entry.GetProperty("gid").GetUInt32()}");
        });
    }

    [Fact]
    public async Task Scan_Twice_GivesTheSameRootsAndNoDifference()
    {
        var first = await Scan("a");
        var second = await Scan("b");

        Assert.Equal(Roots(first), Roots(second));
        Assert.Equal(0, (await Finished.Run(Programs.Agent, "diff", _folder["a"], _folder["b"])).ExitCode);
    }

    [Fact]
    public async Task Show_IntoAPipeThatCloses_EndsQuietly()
    {
        await Scan("m");

        var finished = await Finished.Run("/bin/bash", "-c", $"set -o pipefail; '{Programs.Agent}' show '{_folder["m"]}' | head -n 1");

        Assert.Single(finished.Lines);
        Assert.Equal("", finished.Error);
    }

    private Task<Finished> Scan(string name) =>
        Finished.Succeed(Programs.Agent, "scan", "--root", "/usr/share/doc", "--out", _folder[name], "--no-packages", "--no-settings");

    /// <summary>The roots are the 64-digit words of the summary line.</summary>
    private static IEnumerable<string> Roots(Finished scan)
    {
        var roots = (scan.Output + scan.Error).Split(' ', '\n', '=', ',', ':').Where(word => word.Length == 64).ToList();
        Assert.NotEmpty(roots);
        return roots;
    }

    private static async Task<IReadOnlyList<string>> Shell(string command) =>
        (await Finished.Succeed("/bin/bash", "-c", "set -o pipefail; export LC_ALL=C; " + command)).Output.TrimEnd('\n').Split('\n');
}
