using System.Security.Cryptography;
using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What the agent says of a real tree is what find, sha256sum and stat say.</summary>
public sealed class ScanOracleTests : IDisposable
{
    private const string Tree = "/usr/share";

    private static readonly byte[] FleetKey = new byte[32];

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Scan_OfARealTree_AgreesWithFindSha256sumAndStat()
    {
        await Scan("m", Tree);

        var shown = await Finished.Succeed(Programs.Agent, "show", _folder["m"], "--output", "json");
        var entries = shown.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(entry => entry.GetProperty("key").GetString()!);

        // Names in this tree are plain enough to need no escapes. %P is empty for the root itself.
        var found = await Shell($"cd {Tree} && find . -xdev -printf '/%P\n'");
        Same(found, entries.Keys);

        var digests = await Shell($"cd {Tree} && find . -xdev -type f -print0 | xargs -0 -P2 -n 512 sha256sum | sed 's/  [.]/ /'");
        Same(
            digests.Select(line => IsSecret(entries[line[65..]]) ? $"{Keyed(Tree + line[65..])} {line[65..]}" : line),
            entries.Values.Where(IsFile).Select(entry => $"{Text(entry, IsSecret(entry) ? "keyed_digest" : "digest")} {Text(entry, "key")}"));

        var attributes = await Shell($"cd {Tree} && find . -xdev ! -type l -print0 | xargs -0 -n 512 stat -c '%04a %u %g %n' | sed -E 's# [.]/?# /#'");
        Same(attributes, entries.Values.Where(entry => Text(entry, "type") != "symlink").Select(entry =>
            $"{Text(entry, "mode")} {entry.GetProperty("uid")} {entry.GetProperty("gid")} {Text(entry, "key")}"));
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

    private async Task<Finished> Scan(string name, string tree = "/usr/share/doc")
    {
        await File.WriteAllTextAsync(_folder["key"], Convert.ToHexString(FleetKey), TestContext.Current.CancellationToken);
        return await Finished.Succeed(
            Programs.Agent, "scan", "--root", tree, "--out", _folder[name], "--no-packages", "--no-settings", "--fleet-key", _folder["key"]);
    }

    /// <summary>The roots are the 64-digit words of the summary line.</summary>
    private static IEnumerable<string> Roots(Finished scan)
    {
        var roots = (scan.Output + scan.Error).Split(' ', '\n', '=', ',', ':').Where(word => word.Length == 64).ToList();
        Assert.NotEmpty(roots);
        return roots;
    }

    /// <summary>Names the first few lines that only one side has.</summary>
    private static void Same(IEnumerable<string> expected, IEnumerable<string> actual)
    {
        var wanted = expected.ToHashSet(StringComparer.Ordinal);
        var given = actual.ToHashSet(StringComparer.Ordinal);
        Assert.True(wanted.SetEquals(given), $"missing: {First(wanted.Except(given))}; too many: {First(given.Except(wanted))}");

        static string First(IEnumerable<string> lines) => string.Join(" | ", lines.Take(5));
    }

    /// <summary>A private key that not everybody may read.</summary>
    private static bool IsSecret(JsonElement entry) => entry.TryGetProperty("keyed_digest", out _);

    private static string Keyed(string path) => Convert.ToHexStringLower(HMACSHA256.HashData(FleetKey, File.ReadAllBytes(path)));

    private static bool IsFile(JsonElement entry) => Text(entry, "type") == "file";

    private static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString()!;

    private static async Task<IReadOnlyList<string>> Shell(string command) =>
        (await Finished.Succeed("/bin/bash", "-c", "set -o pipefail; export LC_ALL=C; " + command)).Output.TrimEnd('\n').Split('\n');
}
