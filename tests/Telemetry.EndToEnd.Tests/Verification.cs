using System.Text.Json;
using Telemetry.Testing;

namespace Telemetry.EndToEnd.Tests;

/// <summary>What the agent, and what the package managers themselves, say of the packaged files below a root.</summary>
internal static class Verification
{
    /// <summary>By the path as the package lists it: what differs, or <c>missing</c>.</summary>
    public static async Task<SortedDictionary<string, string>> ByAgent(string root, params string[] packages)
    {
        var finished = await Finished.Run(Programs.Agent, ["verify", "--root", root, "--output", "json", .. packages], environment: null);
        Assert.Equal("", finished.Error);
        Assert.Equal(finished.Lines.Count == 0 ? 0 : 1, finished.ExitCode);

        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var finding in finished.Lines.Select(line => JsonDocument.Parse(line).RootElement))
        {
            var path = (finding.TryGetProperty("listed_as", out var listed) ? listed : finding.GetProperty("path")).GetString()!;
            var change = finding.GetProperty("change").GetString()!;
            var differs = string.Join(' ', finding.GetProperty("differs").EnumerateArray().Select(word => word.GetString()));
            var conffile = finding.GetProperty("conffile").GetBoolean() ? "conffile " : "";
            found[path] = conffile + (change == "changed" ? differs : change);
        }

        return found;
    }

    /// <summary><c>dpkg --verify</c> in the same words: it knows digests, what is missing, and that what has a digest is a regular file.</summary>
    public static async Task<SortedDictionary<string, string>> ByDpkg(string root, params string[] packages)
    {
        var finished = await Finished.Run("/usr/bin/dpkg", ["--root=" + root, "--force-not-root", "--verify", .. packages], environment: null);
        var found = Parse(finished.Lines, ('M', "type"), ('5', "content"));

        // What became a link it reads through the link; the agent does not.
        foreach (var path in found.Where(pair => pair.Value == "type content").Select(pair => pair.Key).ToList())
            found[path] = "type";
        return found;
    }

    /// <summary><c>rpm -Va</c> in the same words; the time of modification is no part of a fingerprint.</summary>
    public static async Task<SortedDictionary<string, string>> ByRpm(string root, string database)
    {
        var finished = await Finished.Run(
            "/usr/bin/rpm", ["--root", root, "--dbpath", database, "-Va", "--nodeps", "--noscripts"], new Dictionary<string, string> { ["LC_ALL"] = "C" });
        return Parse(finished.Lines, ('M', "mode"), ('U', "user"), ('G', "group"), ('S', "size"), ('L', "target"), ('5', "content"));
    }

    /// <summary>Both write nine flags or <c>missing</c>, up to two columns on a letter or a space, and the path.</summary>
    private static SortedDictionary<string, string> Parse(IEnumerable<string> lines, params (char Flag, string Word)[] meanings)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var path = line[line.IndexOf('/', StringComparison.Ordinal)..];
            var flags = line.Split(' ')[0];
            var conffile = line[9..^path.Length].Contains('c') ? "conffile " : "";
            var words = flags == "missing" ? "missing" : string.Join(' ', meanings.Where(meaning => flags.Contains(meaning.Flag)).Select(meaning => meaning.Word));
            if (words.Length > 0)
                found[path] = conffile + words;
        }

        return found;
    }
}
